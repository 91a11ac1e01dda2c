"""Training that was interrupted goes on where it was: weights, moments, random state and losses, in one file.

safetensors, not pickle; written beside its place and renamed, so that a checkpoint is whole or not there.
"""

import logging
import math
import os
import time
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.models.machine import machine

LEAST_SECONDS = 2.0
SHARE = 0.05
"""Of the time of training, at most, goes into checkpoints."""


class TrainingState(msgspec.Struct):
    """How far training has come: steps done, target tokens seen, the loss of each step; and on what machine."""

    step: int = 0
    tokens: int = 0
    losses: list[float] = []
    machine: str = ""


class Checkpoints:
    """Saves and restores a model and its AdamW in the file `checkpoint.safetensors` of a folder.

    A disk that does not take one is said once and does not stop the training.
    """

    def __init__(self, folder: Path, model: Any, optimizer: Any) -> None:
        self.path = folder / "checkpoint.safetensors"
        self.model, self.optimizer = model, optimizer
        self.saved, self.cost = time.monotonic(), 0.0
        self.refused = False

    def restore(self, steps: int) -> TrainingState:
        """Where to go on in a plan of so many steps; the beginning where there is no checkpoint.

        Raises ModelError for a broken file.
        """
        import torch
        from safetensors import SafetensorError, safe_open

        if not self.path.exists():
            return TrainingState()
        try:
            with safe_open(self.path, framework="pt") as file, torch.no_grad():
                state = msgspec.json.decode(file.metadata()["state"], type=TrainingState)
                if state.machine != machine():
                    return TrainingState()  # the rest would be computed with other rounding
                if not 0 <= state.step == len(state.losses) <= steps or state.tokens < 0:
                    raise ValueError(f"step {state.step} of {steps} with {len(state.losses)} losses")
                if not all(map(math.isfinite, state.losses)):
                    raise ValueError("a loss that is not finite")
                for name, parameter in self._tensors().items():
                    parameter.copy_(_same_shape(file.get_tensor(f"model.{name}"), parameter))
                stored_names = set(file.keys())
                for name, parameter in self._trained().items():
                    keys = {key: f"{key}.{name}" for key in ("exp_avg", "exp_avg_sq", "step")}
                    if keys["step"] in stored_names:
                        moments = {key: file.get_tensor(stored) for key, stored in keys.items()}
                        both = ("exp_avg", "exp_avg_sq")
                        moved = {key: _same_shape(moments[key], parameter).to(parameter.device) for key in both}
                        self.optimizer.state[parameter] = {**moments, **moved}
                torch.set_rng_state(file.get_tensor("rng.cpu"))
                for k in range(torch.cuda.device_count()):
                    torch.cuda.set_rng_state(file.get_tensor(f"rng.cuda.{k}"), k)
        except (
            SafetensorError,
            OSError,
            KeyError,
            TypeError,
            ValueError,
            RuntimeError,
            msgspec.DecodeError,
        ) as error:
            why = " ".join(str(error).split())[:200]
            raise ModelError(f"{self.path}: cannot be continued ({why}); remove the file to start anew") from None
        return state

    def save_if_due(self, state: TrainingState) -> None:
        """Save when the last time is long enough ago for its cost to be a small share."""
        if time.monotonic() - self.saved >= max(LEAST_SECONDS, self.cost / SHARE):
            self.save(state)

    def save(self, state: TrainingState) -> None:
        """Save now."""
        import torch
        from safetensors import SafetensorError
        from safetensors.torch import save_file

        started = time.monotonic()
        state.machine = machine()
        tensors = {f"model.{name}": tensor.detach().contiguous() for name, tensor in self._tensors().items()}
        for name, parameter in self._trained().items():
            for key, value in self.optimizer.state.get(parameter, {}).items():
                tensors[f"{key}.{name}"] = value.contiguous()
        tensors["rng.cpu"] = torch.get_rng_state()
        for k in range(torch.cuda.device_count()):
            tensors[f"rng.cuda.{k}"] = torch.cuda.get_rng_state(k)
        writing = self.path.with_suffix(".writing")
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            save_file(tensors, writing, metadata={"state": msgspec.json.encode(state).decode()})
            with writing.open("rb") as file:
                os.fsync(file.fileno())
            writing.replace(self.path)
        except (SafetensorError, OSError) as error:  # a checkpoint is a help, not a need
            writing.unlink(missing_ok=True)
            if not self.refused:
                why = " ".join(str(error).split())[:200]
                logging.getLogger(__name__).warning("%s: not saved (%s); training goes on without", self.path, why)
            self.refused = True
        self.saved = time.monotonic()
        self.cost = self.saved - started

    def _tensors(self) -> dict[str, Any]:
        """Weights that are trained (tied ones once) and buffers."""
        return {**self._trained(), **dict(self.model.named_buffers())}

    def _trained(self) -> dict[str, Any]:
        return {name: parameter for name, parameter in self.model.named_parameters() if parameter.requires_grad}


def _same_shape(stored: Any, wanted: Any) -> Any:
    """The stored tensor; `copy_` would spread another shape over the wanted one without a word."""
    if stored.shape != wanted.shape or stored.dtype != wanted.dtype:
        raise ValueError(f"{stored.dtype} {tuple(stored.shape)} instead of {wanted.dtype} {tuple(wanted.shape)}")
    if stored.is_floating_point() and not stored.isfinite().all():
        raise ValueError("a weight that is not finite")
    return stored
