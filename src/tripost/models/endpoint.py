"""M_theta behind an OpenAI-compatible endpoint writes: the same prompts as tokens, the same limits, stops and ends.

What it samples is drawn by the endpoint's own generator, so texts are others than `decoder.py` draws from the same
seeds; greedy texts are the same but for rounding. Each prompt gets its completion by a call of its own.

A prompt goes as text where the endpoint's tokenizer makes our tokens of it. A tokenizer that puts BOS before every
text would put a second one before a chat that begins with its own: then the text goes without it. Where neither gives
our tokens (text that looks like a special token, in the plain layout), the tokens go by number, which vLLM and SGLang
take.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from tripost.chat.completions import Completions
from tripost.chat.outcomes import CallError
from tripost.chat.said import Said
from tripost.errors import EndpointError
from tripost.interfaces import Completion, Sampling
from tripost.models.adapter import is_adapter, read_root
from tripost.models.chat import load_turns
from tripost.models.encode import count_tokens, encode_prompts, leading
from tripost.models.folder import read_object
from tripost.models.load import load_context_length, load_tokenizer

Dialect = Literal["extended", "transformers", "plain"]
DIALECTS: tuple[Dialect, ...] = ("extended", "transformers", "plain")
"""Ways to say that nothing but the temperature shapes what is drawn, tried in turn: vLLM and SGLang take fields of
their own (left out, they would take what generation_config.json says, such as a top_k), transformers serve a whole
generation configuration (left out, it may be greedy at any temperature), others the temperature alone."""
MOST_STOPS = 4
"""OpenAI's bound; more are cut here, once the text is there."""
SEEDS = 2**31


class EndpointDecoder:
    """The model of a folder, decoded by an endpoint that serves it as `served`."""

    def __init__(self, folder: Path, completions: Completions, served: str) -> None:
        self.completions, self.served = completions, served
        self.device = f"endpoint:{served}"
        self.tokenizer = load_tokenizer(str(folder))
        whole = folder.parent / read_root(folder).folder if is_adapter(folder) else folder
        self.context = load_context_length(whole)
        self.chat = load_turns(folder) is not None
        self.ends = end_tokens(whole, self.tokenizer)
        self.dialect: Dialect | None = None

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        return count_tokens(self.tokenizer, texts, chat=self.chat)

    def complete(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None] = lambda rows, tokens: None,
        on_row: Callable[[int, Completion], None] = lambda row, completion: None,
    ) -> list[Completion]:
        """Complete every prompt. A prompt that fills the context gets an empty, unfinished completion."""
        done = [Completion(text="", n_tokens=0, finished=False)] * len(prompts)
        ids = encode_prompts(self.tokenizer, prompts, chat=self.chat)
        rows = [row for row in range(len(prompts)) if len(ids[row]) < self.context]
        on_tokens(len(prompts) - len(rows), 0)
        sent = self._as_sent([prompts[row] for row in rows], [ids[row] for row in rows])
        bodies = [
            {
                "model": self.served,
                "prompt": prompt,
                "max_tokens": min(sampling.max_new_tokens, self.context - len(ids[row])),
                "temperature": sampling.temperature,
                "seed": seeds[row] % SEEDS,
                **({"stop": list(sampling.stops[:MOST_STOPS])} if sampling.stops else {}),
            }
            for row, prompt in zip(rows, sent, strict=True)
        ]

        def keep(place: int, said: Said) -> None:
            row = rows[place]
            done[row] = self._completion(said, sampling.stops)
            on_row(row, done[row])
            on_tokens(1, done[row].n_tokens)

        self.ask(bodies, keep)
        return done

    def probe(self, prompts: Sequence[str], tokens: int) -> tuple[list[list[int]], list[Said]]:
        """The prompts' tokens, and their greedy continuations with log probabilities."""
        ids = encode_prompts(self.tokenizer, prompts, chat=self.chat)
        asked = {"model": self.served, "max_tokens": tokens, "temperature": 0.0, "logprobs": 1}
        return ids, self.ask([{**asked, "prompt": prompt} for prompt in self._as_sent(prompts, ids)])

    def ask(
        self,
        bodies: Sequence[Mapping[str, Any]],
        on_said: Callable[[int, Said], None] = lambda place, said: None,
    ) -> list[Said]:
        """What the endpoint says to each body, in the dialect that it takes. Raises EndpointError."""
        if not bodies:
            return []
        first: list[Said] = []
        if self.dialect is None:
            first = [self._first(bodies[0])]
            on_said(0, first[0])
        try:
            rest = [self._dressed(body, self.dialect or "plain") for body in bodies[len(first) :]]
            return first + self.completions.ask(rest, lambda place, said: on_said(place + len(first), said))
        except CallError as trouble:
            raise self.completions.failed(trouble) from None

    def _first(self, body: Mapping[str, Any]) -> Said:
        """The first answer, and with it the dialect."""
        for dialect in DIALECTS:
            try:
                said = self.completions.ask([self._dressed(body, dialect)])[0]
            except CallError as found:
                trouble = found
            else:
                self.dialect = dialect
                return said
        raise self.completions.failed(trouble)

    def _dressed(self, body: Mapping[str, Any], dialect: Dialect) -> dict[str, Any]:
        if dialect == "extended":
            more: dict[str, Any] = {
                "top_k": -1,
                "min_p": 0.0,
                "repetition_penalty": 1.0,
                "stop_token_ids": sorted(self.ends),
                "skip_special_tokens": False,
                "spaces_between_special_tokens": False,
                "return_token_ids": "logprobs" in body,
            }
        elif dialect == "transformers":
            ends = {"eos_token_id": sorted(self.ends), "pad_token_id": self.tokenizer.eos_token_id}
            more = {"generation_config": json.dumps({"do_sample": body["temperature"] > 0, "top_k": 0, **ends})}
        else:
            more = {}
        return {**body, "top_p": 1.0, **more}

    def _as_sent(self, prompts: Sequence[str], ids: Sequence[list[int]]) -> list[str | list[int]]:
        """Each prompt in the form of which the endpoint makes these tokens."""
        if not prompts:
            return []
        before = self.tokenizer.decode(leading(self.tokenizer))
        shorter = [prompt.removeprefix(before) for prompt in prompts]
        whole, cut = (self.tokenizer(list(texts))["input_ids"] for texts in (prompts, shorter))
        return [
            prompt if theirs == ours else text if stripped == ours else ours
            for prompt, text, ours, theirs, stripped in zip(prompts, shorter, ids, whole, cut, strict=True)
        ]

    def _completion(self, said: Said, stops: Sequence[str]) -> Completion:
        text = said.text
        found = [at for stop in stops if (at := text.find(stop)) >= 0]
        if said.finish == "stop" and not found:  # some servers give the token that ended it
            for end in self.ends.values():
                text = text.removesuffix(end)
        counted = said.n_tokens or len(self.tokenizer(text, add_special_tokens=False)["input_ids"])
        finished = bool(found) or said.finish == "stop"
        return Completion(text=text[: min(found)] if found else text, n_tokens=counted, finished=finished)


def end_tokens(folder: Path, tokenizer: Any) -> dict[int, str]:
    """The tokens that end a text, as `decoder.py` has them: the tokenizer's EOS, and those that the generation
    configuration names, or without one the model's."""
    files = [folder / name for name in ("generation_config.json", "config.json")]
    named = next((read_object(file).get("eos_token_id") for file in files if file.is_file()), None)
    others = [number for number in (named if isinstance(named, list) else [named]) if isinstance(number, int)]
    return {number: str(tokenizer.decode([number])) for number in (tokenizer.eos_token_id, *others)}


def served_name(completions: Completions, served_as: str | None) -> str:
    """The model's name at the endpoint: what the params say, else the only one there. Raises EndpointError."""
    if served_as is not None:
        return served_as
    names = completions.models()
    if len(names) != 1:
        said = f"the endpoint lists {len(names)} models ({', '.join(names[:5])[:200]})"
        raise EndpointError(f"params.yaml: serve.served_as: {said}; name the one that is meant")
    return names[0]
