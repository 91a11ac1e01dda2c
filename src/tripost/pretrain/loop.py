"""Training from scratch on processors: a process a core, gradients summed, compiled, warm-up - stable - decay.

Muon for the matrices of the layers, AdamW for embeddings and norms. A step's loss is the mean over its learned
tokens. A checkpoint (safetensors, written beside its place and renamed) lets a later leg go on, also with more steps.
"""

import math
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tripost.errors import TrainingError
from tripost.models.load import save_whole
from tripost.pretrain.corpus import shares
from tripost.pretrain.muon import Muon
from tripost.pretrain.packing import Batch, batches, stream
from tripost.pretrain.recipe import Recipe, rate_at

CHUNK = 200
"""Steps whose batches are made at once."""
SAVE_EVERY = 500
LOG_EVERY = 20


def build(recipe: Recipe, vocabulary: int, eos: int) -> Any:
    """The model, with random weights."""
    import torch
    from transformers import LlamaConfig, LlamaForCausalLM

    torch.manual_seed(recipe.seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=vocabulary,
            hidden_size=recipe.width,
            intermediate_size=recipe.intermediate,
            num_hidden_layers=recipe.layers,
            num_attention_heads=recipe.width // recipe.head,
            num_key_value_heads=recipe.width // recipe.head,
            max_position_embeddings=recipe.context,
            rope_parameters={"rope_type": "default", "rope_theta": recipe.theta},
            bos_token_id=None,
            eos_token_id=eos,
            pad_token_id=eos,
            tie_word_embeddings=True,
            initializer_range=0.5 / recipe.width**0.5,
        )
    )


def leg(rank: int, recipe: Recipe, tokenizer_folder: str, work: str, until: int) -> None:
    """One process of a leg: from the checkpoint in the folder `work`, where one stands there, to step `until`."""
    import torch
    import torch.distributed as dist

    torch.set_num_threads(1)
    folder, parent = Path(work), os.getppid()
    dist.init_process_group(
        "gloo", init_method=f"file://{folder.resolve()}/rendezvous", rank=rank, world_size=recipe.processes
    )
    tokenizer = _tokenizer(tokenizer_folder)
    model = build(recipe, len(tokenizer), tokenizer.eos_token_id)
    parameters = list(model.parameters())
    inner = [p for name, p in model.named_parameters() if p.ndim == 2 and "embed" not in name]
    muon = Muon(inner, recipe.weight_decay, rank, recipe.processes)
    known = {id(p) for p in inner}
    adamw = torch.optim.AdamW([p for p in parameters if id(p) not in known], betas=(0.9, 0.95), weight_decay=0.0)
    start = restore(folder / "checkpoint.safetensors", model, muon, adamw)

    def nll(ids: Any, learned: Any) -> Any:
        hidden = model.model(input_ids=ids[:, :-1], use_cache=False).last_hidden_state
        losses = torch.nn.functional.cross_entropy(
            model.lm_head(hidden).flatten(0, 1), ids[:, 1:].flatten(), reduction="none"
        )
        return (losses * learned[:, 1:].flatten()).sum()

    compiled = torch.compile(nll) if recipe.compiled else nll
    flat = torch.zeros(sum(p.numel() for p in parameters) + 2)
    began, first = time.monotonic(), start
    curve = (folder / "curve.csv").open("a") if rank == 0 else None
    for step, batch in zip(range(start, until), made_batches(tokenizer, recipe, rank, start), strict=False):
        if os.getppid() != parent:  # torch ends us by an interrupt, which one in the background ignores
            raise SystemExit
        learned = torch.from_numpy(batch.learned)
        loss = compiled(torch.from_numpy(batch.ids), learned)
        loss.backward()
        torch.cat(
            [*(p.grad.flatten() for p in parameters), loss.detach()[None], learned[:, 1:].sum()[None]], out=flat
        )
        dist.all_reduce(flat)
        flat[:-1] /= flat[-1]
        norm = float(flat[:-2].norm())
        if not math.isfinite(norm):
            raise TrainingError(
                f"{folder}: step {step + 1}: the gradient is {norm}; lower the rate, and remove the folder"
            )
        for p, gradient in zip(parameters, torch.split(flat[:-2], [p.numel() for p in parameters]), strict=True):
            p.grad = gradient.view_as(p) / max(1.0, norm)
        muon.rate = rate_at(step, recipe)
        for group in adamw.param_groups:
            group["lr"] = muon.rate
        adamw.step()
        muon.step()
        model.zero_grad()
        if curve and ((step + 1) % LOG_EVERY == 0 or step + 1 == until):
            speed = (step + 1 - first) * recipe.tokens * recipe.processes / (time.monotonic() - began)
            curve.write(f"{step + 1},{float(flat[-2]):.4f},{norm:.3f},{speed:.0f}\n")
            curve.flush()
        if rank == 0 and ((step + 1) % SAVE_EVERY == 0 or step + 1 == until):
            save(folder / "checkpoint.safetensors", model, muon, adamw, step + 1)
    dist.destroy_process_group()


def _tokenizer(folder: str) -> Any:
    """A tokenizer alone: there is no model beside it yet."""
    from transformers import PreTrainedTokenizerFast

    return PreTrainedTokenizerFast.from_pretrained(folder)


def made_batches(tokenizer: Any, recipe: Recipe, rank: int, start: int) -> Iterator[Batch]:
    """Every batch of a process from step `start` on: chunk by chunk, each from its own seed."""
    chunk, skip = divmod(start, CHUNK)
    while True:
        seed = f"{recipe.seed} {rank} {chunk}"
        yield from batches(stream(tokenizer, seed, shares()), CHUNK, recipe.tokens, seed)[skip:]
        chunk, skip = chunk + 1, 0


def save(path: Path, model: Any, muon: Muon, adamw: Any, step: int) -> None:
    """Weights, moments and the step, whole or not at all."""
    from safetensors.torch import save_file

    tensors = {f"model.{name}": p.detach().contiguous() for name, p in model.named_parameters()}
    tensors |= {f"muon.{name}": moment.contiguous() for name, moment in muon.named_moments()}
    for name, p in model.named_parameters():
        tensors |= {f"adamw.{key}.{name}": value for key, value in adamw.state.get(p, {}).items()}
    writing = path.with_suffix(".writing")
    save_file(tensors, writing, metadata={"step": str(step)})
    writing.replace(path)


def restore(path: Path, model: Any, muon: Muon, adamw: Any) -> int:
    """The step to go on from; 0 where there is no checkpoint."""
    import torch
    from safetensors import safe_open

    if not path.exists():
        return 0
    with safe_open(path, framework="pt") as file, torch.no_grad():
        there = set(file.keys())
        for name, p in model.named_parameters():
            p.copy_(file.get_tensor(f"model.{name}"))
            keys = {key: f"adamw.{key}.{name}" for key in ("exp_avg", "exp_avg_sq", "step")}
            if keys["step"] in there:
                adamw.state[p] = {key: file.get_tensor(stored) for key, stored in keys.items()}
        for name, moment in muon.named_moments():
            moment.copy_(file.get_tensor(f"muon.{name}"))
        return int(file.metadata()["step"])


def train(recipe: Recipe, tokenizer_folder: Path, work: Path, until: int | None = None) -> Path:
    """A leg up to step `until` (or all steps). Returns a folder with the model as it then is."""
    from torch.multiprocessing.spawn import spawn

    work.mkdir(parents=True, exist_ok=True)
    (work / "rendezvous").unlink(missing_ok=True)
    arguments = (recipe, str(tokenizer_folder), str(work), until or recipe.steps)
    spawn(leg, arguments, nprocs=recipe.processes)  # type: ignore[no-untyped-call]  # torch has no types here
    return snapshot(recipe, tokenizer_folder, work / "checkpoint.safetensors", work / "model")


def snapshot(recipe: Recipe, tokenizer_folder: Path, checkpoint: Path, out: Path) -> Path:
    """The model of a checkpoint, as a folder."""
    from safetensors.torch import load_file

    tokenizer = _tokenizer(str(tokenizer_folder))
    model = build(recipe, len(tokenizer), tokenizer.eos_token_id)
    tensors = load_file(checkpoint)
    for name, p in model.named_parameters():
        p.data.copy_(tensors[f"model.{name}"])
    save_whole(out, model, tokenizer)
    return out
