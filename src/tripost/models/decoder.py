"""M_theta writes: batched decoding with a KV cache, one seed a row.

A row draws its random numbers from its own counter-based generator and picks by inverse cumulative probability, so
what it writes depends on prompt, sampling and seed, not on its neighbours (up to floating-point rounding).
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tripost.interfaces import Completion, Sampling
from tripost.models.encode import context_length, count_tokens, encode_prompts, load_model, load_tokenizer

TAIL = 24
"""Tokens that are decoded to look for a stop; a stop string is never longer than that."""


def silent(rows: int, tokens: int) -> None:
    """Progress that nobody looks at."""


class TorchDecoder:
    """A Hugging Face causal language model from a local folder or a name."""

    def __init__(self, source: str, batch_size: int) -> None:
        import torch

        self.batch_size = batch_size
        self.tokenizer = load_tokenizer(source)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = load_model(source).to(self.device).eval()
        self.context = context_length(self.model.config)

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        return count_tokens(self.tokenizer, texts)

    def complete(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None] = silent,
    ) -> list[Completion]:
        """Complete every prompt. A prompt that fills the context gets an empty, unfinished completion."""
        ids = encode_prompts(self.tokenizer, prompts)
        done = [Completion(text="", n_tokens=0, finished=False)] * len(prompts)
        rows = [row for row in range(len(prompts)) if len(ids[row]) < self.context]
        rows.sort(key=lambda row: (len(ids[row]), row))
        on_tokens(len(prompts) - len(rows), 0)
        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            written = self._decode([ids[row] for row in batch], sampling, [seeds[row] for row in batch], on_tokens)
            for row, completion in zip(batch, written, strict=True):
                done[row] = completion
        return done

    def _decode(
        self,
        ids: list[list[int]],
        sampling: Sampling,
        seeds: list[int],
        on_tokens: Callable[[int, int], None],
    ) -> list[Completion]:
        import torch
        from transformers import DynamicCache

        longest = max(map(len, ids))
        limits = [min(sampling.max_new_tokens, self.context - len(prompt)) for prompt in ids]
        draws = [
            np.random.Generator(np.random.Philox(key=seed)).random(n) for seed, n in zip(seeds, limits, strict=True)
        ]
        stops = _Stops(self.tokenizer, sampling.stops)
        inputs = torch.zeros((len(ids), longest), dtype=torch.long, device=self.device)
        mask = torch.zeros((len(ids), longest), dtype=torch.long, device=self.device)
        for k, prompt in enumerate(ids):
            inputs[k, longest - len(prompt) :] = torch.tensor(prompt)
            mask[k, longest - len(prompt) :] = 1
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache = DynamicCache(config=self.model.config)
        live = list(range(len(ids)))
        written: list[list[int]] = [[] for _ in ids]
        done: dict[int, Completion] = {}
        with torch.inference_mode():
            for step in range(max(limits)):
                output = self.model(
                    input_ids=inputs,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                tokens = _pick(output.logits[:, -1], sampling.temperature, [draws[row][step] for row in live])
                keep: list[int] = []
                for place, (row, token) in enumerate(zip(live, tokens, strict=True)):
                    text = stops.finished(written[row], token)
                    if text is None and step + 1 < limits[row]:
                        keep.append(place)
                    elif text is None:
                        cut = self.tokenizer.decode(written[row])
                        done[row] = Completion(text=cut, n_tokens=len(written[row]), finished=False)
                    else:
                        done[row] = Completion(text=text, n_tokens=len(written[row]), finished=True)
                on_tokens(len(live) - len(keep), len(live))
                if not keep:
                    break
                if len(keep) < len(live):
                    chosen = torch.tensor(keep, device=self.device)
                    cache.batch_select_indices(chosen)
                    mask, positions = mask[chosen], positions[chosen]
                    tokens, live = [tokens[place] for place in keep], [live[place] for place in keep]
                inputs = torch.tensor(tokens, device=self.device)[:, None]
                mask = torch.cat([mask, mask.new_ones((len(live), 1))], dim=1)
                positions = positions[:, -1:] + 1
        return [done[row] for row in range(len(ids))]


class _Stops:
    """EOS and stop strings. Text is only decoded where the new token holds the last character of a stop."""

    def __init__(self, tokenizer: Any, stops: Sequence[str]) -> None:
        self.tokenizer = tokenizer
        self.stops = tuple(stops)
        self.last_characters = {stop[-1] for stop in stops}
        self.may_stop: dict[int, bool] = {}

    def finished(self, written: list[int], token: int) -> str | None:
        """Append `token` to `written`; the completion's text where it is finished by it, else None."""
        if token == self.tokenizer.eos_token_id:
            return str(self.tokenizer.decode(written))
        written.append(token)
        if token not in self.may_stop:
            text = self.tokenizer.decode([token])
            self.may_stop[token] = any(character in text for character in self.last_characters)
        if not self.may_stop[token]:
            return None
        tail = self.tokenizer.decode(written[-TAIL:])
        if not any(stop in tail for stop in self.stops):
            return None
        text = str(self.tokenizer.decode(written))
        return text[: min(text.find(stop) for stop in self.stops if stop in text)]


def _pick(logits: Any, temperature: float, draws: list[float]) -> list[int]:
    """One token a row: the likeliest at temperature 0, else by inverse cumulative probability."""
    import torch

    if temperature == 0:
        return [int(token) for token in logits.argmax(-1)]
    cumulative = torch.softmax(logits.double() / temperature, -1).cumsum(-1)
    points = torch.tensor(draws, dtype=torch.float64, device=logits.device)[:, None] * cumulative[:, -1:]
    chosen = torch.searchsorted(cumulative, points, right=True)[:, 0].clamp(max=logits.shape[-1] - 1)
    return [int(token) for token in chosen]
