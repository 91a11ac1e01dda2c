"""Loss and gradient are the same in pieces, with checkpointing, and whole."""

from collections.abc import Iterator
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
from tripost.models import large_vocabulary
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


@pytest.mark.parametrize("name", FAMILIES)
@pytest.mark.parametrize("change", ["pieces", "checkpoints"])
def test_the_gradient_is_the_same(name: str, change: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    folder = str(save_tiny(name, tmp_path / name))
    rows = encode(load_tokenizer(folder), rationale_examples(problems(ARITHMETIC, 2) + problems(WORDS, 2)))
    found: list[tuple[float, dict[str, Any]]] = []
    for changed in (False, True):
        params = toy_params().train.model_copy(
            update={"gradient_checkpointing": changed and change == "checkpoints", "micro_batch_tokens": 600}
        )
        if changed and change == "pieces":
            monkeypatch.setattr(large_vocabulary, "PIECE", 2000)
        model = load_model(folder)
        gradient = Gradient(model.train(), open_accelerator(params), params)
        capped = name == "gemma-2"  # its logits are not its states times a matrix, its attention is not plain
        assert gradient.in_pieces == (changed and change == "pieces" and not capped)
        loss = gradient.add(rows, 100.0)
        found.append((loss, {key: tensor.grad for key, tensor in model.named_parameters()}))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-5)
    for key, tensor in found[0][1].items():
        torch.testing.assert_close(found[1][1][key], tensor, rtol=1e-3, atol=1e-6)
