"""Loss and gradient are the same in pieces, with checkpointing, and whole."""

import itertools
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from accelerate.state import AcceleratorState
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, WORDS, problems
from tests.tiny_models import FAMILIES, save_tiny
from tests.toy import toy_params
from tripost.examples import rationale_examples
from tripost.models import large_vocabulary, packed
from tripost.models.encode import encode
from tripost.models.gradient import Gradient, open_accelerator
from tripost.models.large_vocabulary import nll_of_states
from tripost.models.learner import TorchLearner
from tripost.models.load import load_model, load_tokenizer
from tripost.models.weighted_loss import nll_of_targets
from tripost.params import LoraParams


@given(st.integers(1, 9), st.integers(1, 12), st.integers(0, 2**20))
def test_pieces_add_up_to_the_whole(count: int, rows: int, seed: int) -> None:
    import torch

    torch.manual_seed(seed)
    head = torch.nn.Linear(5, 7)
    targets, weights = torch.randint(7, (count,)), torch.rand(count)
    found: list[Any] = []
    start = torch.randn(count, 5)
    losses: list[Any] = [
        lambda x: nll_of_states(head, x, targets, weights, rows),
        lambda x: nll_of_targets(head(x), targets, weights),
    ]
    for loss in losses:
        states = start.clone().requires_grad_()
        head.weight.grad = None
        total = loss(states)
        torch.autograd.backward(total)
        found.append((total.detach(), states.grad, head.weight.grad))
    for one, other in zip(*found, strict=True):
        torch.testing.assert_close(one, other)


@pytest.fixture
def other_precision() -> Iterator[None]:
    """accelerate has one precision a process; a stage trains once."""
    AcceleratorState._reset_state(True)
    yield
    AcceleratorState._reset_state(True)


@pytest.mark.usefixtures("other_precision")
def test_in_bf16_examples_are_packed_and_the_adapter_stays_in_fp32(tmp_path: Path) -> None:
    """Rounding of bf16 must not be taken for a leak."""
    import torch

    save_tiny("llama-3", tmp_path / "t0")
    lora = LoraParams(rank=2, alpha=4, dropout=0.0, targets=("q_proj", "v_proj"))
    changes: list[dict[str, Any]] = [{"precision": "bf16"}, {"precision": "bf16", "lora": lora}]
    for change in changes:
        params = toy_params().train.model_copy(update={"epochs": 4, "learning_rate": 1e-2, **change})
        learner = TorchLearner(str(tmp_path / "t0"), params)
        learned = learner.fit(rationale_examples(problems(ARITHMETIC, 2)), 1)
        assert learned.losses[-1] < learned.losses[0]
        assert learner.model.config._attn_implementation == "tripost_packed"
        trained = {p.dtype for p in learner.model.parameters() if p.requires_grad}
        frozen = {p.dtype for p in learner.model.parameters() if not p.requires_grad}
        assert (trained, frozen) == ({torch.float32}, {torch.bfloat16} if "lora" in change else set())


def _counted(counter: Iterator[int], tensor: Any) -> Any:
    next(counter)
    return tensor


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("change", ["pieces", "checkpoints"])
def test_the_gradient_is_the_same(name: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    folder = str(save_tiny(name, tmp_path / name))
    rows = encode(load_tokenizer(folder), rationale_examples(problems(ARITHMETIC, 2) + problems(WORDS, 2)))
    found: list[tuple[float, dict[str, Any]]] = []
    saved: list[int] = []
    for changed in (False, True):
        params = toy_params().train.model_copy(
            update={"gradient_checkpointing": changed and change == "checkpoints", "micro_batch_tokens": 600}
        )
        if changed and change == "pieces":
            monkeypatch.setattr(large_vocabulary, "PIECE", 2000)
        model = load_model(folder)
        gradient = Gradient(model.train(), open_accelerator(params), params)
        if name == "granite":
            assert gradient.packed, "it is the logits that are not plain: they are divided by a number"
        capped = name in ("gemma-2", "granite")  # their logits are not their states times a matrix
        assert gradient.in_pieces == (changed and change == "pieces" and not capped)
        counted = itertools.count()
        with torch.autograd.graph.saved_tensors_hooks(partial(_counted, counted), lambda x: x):
            loss = gradient.add(rows, 100.0)
        saved.append(next(counted))
        found.append((loss, {key: tensor.grad for key, tensor in model.named_parameters()}))
    assert change != "checkpoints" or saved[1] < saved[0] / 3, "activations are not kept"
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for key, tensor in found[0][1].items():
        torch.testing.assert_close(found[1][1][key], tensor, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("window", [None, 4])
def test_the_kernel_for_packed_rows_is_asked_for_the_same_attention(
    window: int | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    """torch has the kernel on GPUs alone; here its documentation stands in for it."""
    import torch
    from torch.nn.attention import varlen

    def documented(
        q: Any, k: Any, v: Any, cu_q: Any, cu_k: Any, most_q: int, most_k: int, *, scale: float | None,
        window_size: tuple[int, int], enable_gqa: bool,
    ) -> Any:  # fmt: skip
        assert cu_q.dtype == torch.int32
        assert (most_q, most_k) == (7, 7)
        rows = []
        for a, b in pairwise(cu_q.tolist()):
            places = torch.arange(b - a)
            apart = places[:, None] - places
            seen = (apart >= 0) if window_size[0] < 0 else (apart >= 0) & (apart <= window_size[0])
            assert window_size[1] == 0
            one, two, three = (x[a:b].transpose(0, 1)[None] for x in (q, k, v))
            rows.append(
                torch.nn.functional.scaled_dot_product_attention(
                    one, two, three, seen, scale=scale, enable_gqa=enable_gqa
                )[0]
            )
        return torch.cat([row.transpose(0, 1) for row in rows])

    monkeypatch.setattr(varlen, "varlen_attn", documented)
    torch.manual_seed(1)
    query, key, value = torch.randn(1, 4, 12, 8), torch.randn(1, 2, 12, 8), torch.randn(1, 2, 12, 8)
    wanted, _ = packed._attention(
        None, query, key, value, None, scaling=0.3, sliding_window=window, packed_lengths=(7, 5)
    )
    torch.testing.assert_close(packed._varlen(query, key, value, (7, 5), 0.3, window), wanted)
