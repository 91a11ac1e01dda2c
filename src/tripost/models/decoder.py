"""M_theta writes: batched decoding with a KV cache, one seed a row, a finished row replaced by the next one.

A row draws its random numbers from its own counter-based generator and picks by inverse cumulative probability.
Where rounding might decide, the row is computed once more, alone. So what it writes depends on prompt, sampling and
seed, not on its neighbours: any batch, and a run that continues an interrupted one, write the same.
"""

from collections import deque
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import msgspec
import numpy as np

from tripost.interfaces import Completion, Sampling
from tripost.models.chat import load_turns
from tripost.models.encode import count_tokens, encode_prompts
from tripost.models.load import context_length, load_model, load_tokenizer
from tripost.models.machine import device
from tripost.models.prefixes import Kept, Prefixes, prefill
from tripost.models.sampling import pick
from tripost.models.stops import Stops, eos_tokens

if TYPE_CHECKING:
    from tripost.models.slots import Slots

REFILL = 8
"""New rows are read once so large a part of the slots (an eighth) is empty: reading one by one costs a step each."""


def silent(rows: int, tokens: int) -> None:
    """Progress that nobody looks at."""


def not_kept(row: int, completion: Completion) -> None:
    """A completion that nobody keeps before all are there."""


class _Text:
    """A row: its prompt, what is written so far and the token that was written last, a draw for each token."""

    def __init__(self, prompt: list[int], draws: list[float]) -> None:
        self.prompt, self.draws = prompt, draws
        self.written: list[int] = []
        self.last = -1


class _Read(msgspec.Struct, frozen=True):
    """Prompts that were read: for each its row in the cache, the columns there (first, end), and the next logits."""

    cache: Any
    logits: Any
    sources: list[int]
    columns: list[tuple[int, int]]


class TorchDecoder:
    """A Hugging Face causal language model from a local folder or a name."""

    def __init__(self, source: str, batch_size: int, precision: str = "fp32") -> None:
        self.tokenizer = load_tokenizer(source)  # refuses a bad folder before seconds go into torch
        import torch

        from tripost.models.lean import lean_step

        self.batch_size, self.device = batch_size, device()
        self.on = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = load_model(source, precision).to(self.on).eval()
        self.context = context_length(self.model.config)
        self.exact = precision == "fp32"  # in bf16 rounding is far wider than what is settled alone
        self.chat = load_turns(source) is not None
        self.ends = eos_tokens(self.model, self.tokenizer)
        self.prefixes = Prefixes()
        self.step: Callable[[Sequence[int], Slots], Any] = lean_step(self.model) or self._step

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        return count_tokens(self.tokenizer, texts, chat=self.chat)

    def complete(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None] = silent,
        on_row: Callable[[int, Completion], None] = not_kept,
    ) -> list[Completion]:
        """Complete every prompt. A prompt that fills the context gets an empty, unfinished completion."""
        import torch

        from tripost.models.slots import Slots

        ids = encode_prompts(self.tokenizer, prompts, chat=self.chat)
        done = [Completion(text="", n_tokens=0, finished=False)] * len(prompts)
        rows = [row for row in range(len(prompts)) if len(ids[row]) < self.context]
        on_tokens(len(prompts) - len(rows), 0)
        self.prefixes.next_call()
        begun = {prompt: self.prefixes.take(prompt) for prompt in dict.fromkeys(tuple(ids[row]) for row in rows)}
        goes_on = {row: begun[tuple(ids[row])][1] > 0 for row in rows}
        # Of like length, since a step costs what the longest row costs; the same prompt's samples side by side.
        queue = deque(sorted(rows, key=lambda row: (goes_on[row], len(ids[row]), ids[row], row)))
        texts = {row: _Text(ids[row], self._draws(ids[row], sampling, seeds[row])) for row in rows}
        stops = Stops(self.tokenizer, sampling.stops, self.ends)
        slots = Slots(self.model.config, min(self.batch_size, max(1, len(rows))), self.on)
        refill = max(1, slots.count // REFILL)
        live: list[int] = []

        def write(logits: Any, rows: list[int], *, in_slots: bool) -> list[int]:
            """One more token of each row. Returns the places of those that go on."""
            tokens = self._choose(logits, [texts[row] for row in rows], sampling)
            going: list[int] = []
            for place, (row, token) in enumerate(zip(rows, tokens, strict=True)):
                text = texts[row]
                said = stops.finished(text.written, token)
                text.last = token
                if said is None and len(text.written) < len(text.draws):
                    going.append(place)
                    continue
                if in_slots and self.prefixes.has_room(slots.size_of(place)):
                    self.prefixes.add((*text.prompt, *text.written), slots.copy_of(place))
                ended = said if said is not None else self.tokenizer.decode(text.written)
                done[row] = Completion(text=ended, n_tokens=len(text.written), finished=said is not None)
                on_row(row, done[row])
            on_tokens(len(rows) - len(going), len(rows))
            return going

        with torch.inference_mode():
            while queue or live:
                if queue and (not live or slots.count - len(live) >= refill):
                    new = [queue.popleft()]  # what goes on is read apart from what does not: it is much shorter
                    while queue and len(new) < slots.count - len(live) and goes_on[queue[0]] == goes_on[new[0]]:
                        new.append(queue.popleft())
                    read = self._read([texts[row].prompt for row in new], begun)
                    going = write(read.logits, new, in_slots=False)
                    if going:
                        slots.admit(read.cache, [read.sources[k] for k in going], [read.columns[k] for k in going])
                    live += [new[k] for k in going]
                    continue
                logits = self.step([texts[row].last for row in live], slots)
                going = write(logits, live, in_slots=True)
                if len(going) < len(live):
                    live = [live[k] for k in slots.keep(going)]
        return done

    def _draws(self, prompt: list[int], sampling: Sampling, seed: int) -> list[float]:
        """A number in [0, 1) for each token that may be written."""
        limit = min(sampling.max_new_tokens, self.context - len(prompt))
        return [float(x) for x in np.random.Generator(np.random.Philox(key=seed)).random(limit)]

    def _read(self, prompts: list[list[int]], known: dict[tuple[int, ...], tuple[Kept | None, int]]) -> "_Read":
        """The prompts with their keys and values; the same one read once, and where it was begun before, its rest."""
        import torch
        from transformers import DynamicCache

        unlike = list(dict.fromkeys(map(tuple, prompts)))
        begun = [known.pop(prompt, (None, 0)) for prompt in unlike]
        before = max(shared for _, shared in begun)
        rest = [prompt[shared:] for prompt, (_, shared) in zip(unlike, begun, strict=True)]
        inputs = torch.zeros((len(unlike), max(map(len, rest))), dtype=torch.long, device=self.on)
        mask = torch.zeros((len(unlike), before + inputs.shape[1]), dtype=torch.long, device=self.on)
        positions = torch.zeros_like(inputs)
        for row, (tokens, (_, shared)) in enumerate(zip(rest, begun, strict=True)):
            inputs[row, : len(tokens)] = torch.tensor(tokens)
            positions[row, : len(tokens)] = torch.arange(shared, shared + len(tokens))
            mask[row, before - shared : before + len(tokens)] = 1
        cache = DynamicCache()  # without the configuration: layers with a window keep all of a prompt, too
        if before:
            prefill(cache, begun, before)
        last = torch.tensor([[len(tokens) - 1] for tokens in rest], device=self.on)
        output = self.model(
            input_ids=inputs,
            attention_mask=mask,
            position_ids=positions,
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=last,
        )
        for kept, _ in begun:
            if kept is not None:
                self.prefixes.used(kept)
        places = {prompt: row for row, prompt in enumerate(unlike)}
        sources = [places[tuple(prompt)] for prompt in prompts]
        columns = [(before - shared, before + len(tokens)) for tokens, (_, shared) in zip(rest, begun, strict=True)]
        return _Read(cache, output.logits[sources, -1], sources, [columns[source] for source in sources])

    def _step(self, tokens: Sequence[int], slots: "Slots") -> Any:
        """Logits [rows, vocabulary] behind one more token of each live row, by the model's own modules."""
        import torch

        mask, positions = slots.begin_step()
        output = self.model(
            input_ids=torch.tensor(tokens, device=self.on)[:, None],
            attention_mask=mask,
            position_ids=positions,
            past_key_values=slots,
            use_cache=True,
            logits_to_keep=1,
        )
        slots.end_step()
        return output.logits[:, -1]

    def _choose(self, logits: Any, texts: list["_Text"], sampling: Sampling) -> list[int]:
        """The next token of each text; where rounding might decide, from logits of that text alone."""
        points = [text.draws[len(text.written)] for text in texts]
        tokens, close = pick(logits, sampling.temperature, points)
        for place in close if self.exact else ():
            text = texts[place]
            alone = self._logits_alone([*text.prompt, *text.written])
            tokens[place] = pick(alone, sampling.temperature, [points[place]])[0][0]
        return tokens

    def _logits_alone(self, ids: list[int]) -> Any:
        """The next token's logits [1, vocabulary] of one text, without neighbours, padding or a cache."""
        import torch

        inputs = torch.tensor([ids], device=self.on)
        return self.model(input_ids=inputs, use_cache=False, logits_to_keep=1).logits[:, -1]
