"""M_theta writes: batched decoding with a KV cache, one seed a row.

A row draws its random numbers from its own counter-based generator and picks by inverse cumulative probability.
Where rounding might decide, the row is computed once more, alone. So what it writes depends on prompt, sampling and
seed, not on its neighbours: any batch, and a run that continues an interrupted one, write the same.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from tripost.interfaces import Completion, Sampling
from tripost.models.encode import context_length, count_tokens, encode_prompts, load_model, load_tokenizer
from tripost.models.sampling import pick
from tripost.models.stops import Stops


def silent(rows: int, tokens: int) -> None:
    """Progress that nobody looks at."""


def not_kept(row: int, completion: Completion) -> None:
    """A completion that nobody keeps before all are there."""


class TorchDecoder:
    """A Hugging Face causal language model from a local folder or a name."""

    def __init__(self, source: str, batch_size: int) -> None:
        self.tokenizer = load_tokenizer(source)  # refuses a bad folder before seconds go into torch
        import torch

        self.batch_size = batch_size
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
        on_row: Callable[[int, Completion], None] = not_kept,
    ) -> list[Completion]:
        """Complete every prompt. A prompt that fills the context gets an empty, unfinished completion."""
        ids = encode_prompts(self.tokenizer, prompts)
        done = [Completion(text="", n_tokens=0, finished=False)] * len(prompts)
        rows = [row for row in range(len(prompts)) if len(ids[row]) < self.context]
        rows.sort(key=lambda row: (len(ids[row]), row))
        on_tokens(len(prompts) - len(rows), 0)

        def finish(row: int, completion: Completion) -> None:
            done[row] = completion
            on_row(row, completion)

        for start in range(0, len(rows), self.batch_size):
            batch = rows[start : start + self.batch_size]
            self._decode(batch, ids, sampling, seeds, on_tokens, finish)
        return done

    def _decode(
        self,
        batch: list[int],
        ids: list[list[int]],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None],
        on_row: Callable[[int, Completion], None],
    ) -> None:
        import torch
        from transformers import DynamicCache

        limits = {row: min(sampling.max_new_tokens, self.context - len(ids[row])) for row in batch}
        draws = {row: np.random.Generator(np.random.Philox(key=seeds[row])).random(limits[row]) for row in batch}
        stops = Stops(self.tokenizer, sampling.stops)
        longest = max(len(ids[row]) for row in batch)
        inputs = torch.zeros((len(batch), longest), dtype=torch.long, device=self.device)
        mask = torch.zeros((len(batch), longest), dtype=torch.long, device=self.device)
        for place, row in enumerate(batch):
            inputs[place, longest - len(ids[row]) :] = torch.tensor(ids[row])
            mask[place, longest - len(ids[row]) :] = 1
        positions = (mask.cumsum(1) - 1).clamp(min=0)
        cache = DynamicCache(config=self.model.config)
        live = list(batch)
        written: dict[int, list[int]] = {row: [] for row in batch}
        with torch.inference_mode():
            for step in range(max(limits.values())):
                output = self.model(
                    input_ids=inputs,
                    attention_mask=mask,
                    position_ids=positions,
                    past_key_values=cache,
                    use_cache=True,
                    logits_to_keep=1,
                )
                points = [draws[row][step] for row in live]
                tokens, close = pick(output.logits[:, -1], sampling.temperature, points)
                for place in close:
                    row = live[place]
                    alone = self._logits_alone([*ids[row], *written[row]])
                    tokens[place] = pick(alone, sampling.temperature, [points[place]])[0][0]
                keep: list[int] = []
                for place, (row, token) in enumerate(zip(live, tokens, strict=True)):
                    text = stops.finished(written[row], token)
                    if text is None and step + 1 < limits[row]:
                        keep.append(place)
                    elif text is None:
                        cut = self.tokenizer.decode(written[row])
                        on_row(row, Completion(text=cut, n_tokens=len(written[row]), finished=False))
                    else:
                        on_row(row, Completion(text=text, n_tokens=len(written[row]), finished=True))
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

    def _logits_alone(self, ids: list[int]) -> Any:
        """The next token's logits [1, vocabulary] of one text, without neighbours, padding or a cache."""
        import torch

        inputs = torch.tensor([ids], device=self.device)
        return self.model(input_ids=inputs, use_cache=False, logits_to_keep=1).logits[:, -1]
