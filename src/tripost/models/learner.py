"""Weighted supervised learning with AdamW, warm-up and cosine (paper, section 3.2).

The plan of all optimiser steps is made before the first one, from the seed alone: epochs are shuffled, a step's
examples are cut into micro-batches of like length, and a budget in tokens counts target tokens with weight, so that
runs can be compared fairly.
"""

import math
import random
from collections.abc import Callable, Sequence
from pathlib import Path

from tripost.errors import ModelError, TrainingError
from tripost.interfaces import Learned
from tripost.models.adapter import SavedAdapter, add_adapter, draw_adapter, is_adapter
from tripost.models.chat import SavedTurns, load_turns
from tripost.models.checkpoint import Checkpoints, TrainingState
from tripost.models.encode import Encoded, encode
from tripost.models.gradient import Gradient, open_accelerator
from tripost.models.load import context_length, load_adapted, load_model, load_tokenizer, save_whole
from tripost.models.weighted_loss import target_weight
from tripost.params import TrainParams
from tripost.records import Example


def quiet(step: int, steps: int, loss: float, tokens: int) -> None:
    """Progress that nobody looks at."""


class TorchLearner:
    """M_theta, learning: a Hugging Face causal language model from a local folder or a name."""

    def __init__(self, source: str, params: TrainParams) -> None:
        self.params = params
        self.tokenizer = load_tokenizer(source)  # refuses a bad folder before seconds go into torch
        self.turns = load_turns(source)
        self.adapted, self.root, self.fresh = None, Path(source), False
        if params.lora is None:
            self.model = load_model(source)
            return
        if is_adapter(self.root):
            self.adapted, self.root, had = load_adapted(self.root, params.precision)
            if not params.lora.same_weights(had):
                raise ModelError(f"params.yaml: lora: {source} has an adapter of another size; keep its size")
        else:
            self.adapted, self.fresh = add_adapter(load_model(source, params.precision), params.lora), True
        self.model = self.adapted.get_base_model()

    def fit(
        self,
        examples: Sequence[Example],
        seed: int,
        on_step: Callable[[int, int, float, int], None] = quiet,
        partial: Path | None = None,
    ) -> Learned:
        """Train on the examples, from the checkpoint in the folder `partial` where one stands there.

        Raises TrainingError at a loss that is not finite, ModelError at a long text or a broken checkpoint.
        """
        import torch

        params = self.params
        encoded = encode(self.tokenizer, examples, chat=self.turns is not None)
        self._refuse_too_long(examples, encoded)
        plan = plan_steps(encoded, params, seed)
        torch.manual_seed(seed)
        if self.fresh:
            draw_adapter(self.adapted)
            self.fresh = False
        accelerator = open_accelerator(params)
        optimizer = torch.optim.AdamW(
            [parameter for parameter in self.model.parameters() if parameter.requires_grad],
            lr=params.learning_rate,
            betas=(0.9, 0.95),
            weight_decay=params.weight_decay,
            fused=True,
        )
        model, optimizer = accelerator.prepare(self.model, optimizer)
        gradient = Gradient(model.train(), accelerator, params)
        checkpoints = Checkpoints(partial, self.model, optimizer) if partial else None
        done = checkpoints.restore(len(plan)) if checkpoints else TrainingState()
        for number, batch in enumerate(plan[done.step :], start=done.step + 1):
            rate = params.learning_rate * learning_rate_factor(number - 1, len(plan), params)
            for group in optimizer.param_groups:
                group["lr"] = rate
            rows = [encoded[i] for i in batch]
            total = sum(target_weight(row.weights) for row in rows)
            step_loss = gradient.add(rows, total)
            norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), params.clip_norm))
            if not math.isfinite(step_loss) or not math.isfinite(norm):
                names = ", ".join(examples[i].id for i in batch[:5])
                raise TrainingError(
                    f"step {number}: the loss is {step_loss}, its gradient {norm}; batch: {names} ...; "
                    "lower the learning_rate"
                )
            optimizer.step()
            optimizer.zero_grad()
            done.step = number
            done.losses.append(step_loss)
            done.tokens += sum(sum(weight > 0 for weight in row.weights[1:]) for row in rows)
            on_step(number, len(plan), step_loss, sum(len(row.ids) for row in rows))
            if checkpoints:
                checkpoints.save_if_due(done)
        accelerator.free_memory()
        return Learned(steps=len(plan), target_tokens=done.tokens, losses=tuple(done.losses))

    def save(self, folder: Path) -> None:
        """Weights as safetensors (an adapter alone), config and tokenizer; all of it or nothing."""
        parts = [self.model]
        if self.adapted is not None and self.params.lora:
            if self.root.parent.resolve() != folder.parent.resolve():
                raise ModelError(f"{folder}: an adapter is saved beside its model, which is {self.root}")
            parts = [SavedAdapter(self.adapted, self.root, self.params.lora), self.model.config]
        save_whole(folder, *parts, self.tokenizer, SavedTurns(self.turns))

    def _refuse_too_long(self, examples: Sequence[Example], encoded: Sequence[Encoded]) -> None:
        limit = context_length(self.model.config)
        for example, row in zip(examples, encoded, strict=True):
            if len(row.ids) > limit:
                raise ModelError(
                    f"{example.id}: {len(row.ids)} tokens, but the model's context is {limit}; "
                    "take shorter problems (problems.*.seen), or a larger model.scratch.context"
                )


def plan_steps(encoded: Sequence[Encoded], params: TrainParams, seed: int) -> list[list[int]]:
    """For each optimiser step the indices of its examples. Examples without any target are left out."""
    targets = [sum(weight > 0 for weight in row.weights[1:]) for row in encoded]
    usable = [i for i, n in enumerate(targets) if n]
    plan: list[list[int]] = []
    tokens, epoch = 0, 0
    while usable and (epoch < params.epochs if params.epochs else tokens < (params.tokens or 0)):
        for batch in _epoch(usable, params.batch_size, random.Random(f"epoch {seed} {epoch}")):
            if params.tokens and tokens >= params.tokens:
                break
            plan.append(batch)
            tokens += sum(targets[i] for i in batch)
        epoch += 1
    return plan


def _epoch(usable: Sequence[int], size: int, rng: random.Random) -> list[list[int]]:
    order = list(usable)
    rng.shuffle(order)
    return [order[k : k + size] for k in range(0, len(order), size)]


def learning_rate_factor(step: int, steps: int, params: TrainParams) -> float:
    """Linear warm-up over `warmup_share` of the steps, then a cosine down to a tenth."""
    warmup = max(1, round(params.warmup_share * steps))
    if step < warmup:
        return (step + 1) / warmup
    done = (step - warmup) / max(1, steps - warmup)
    return 0.1 + 0.45 * (1 + math.cos(math.pi * min(1.0, done)))
