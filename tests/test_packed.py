"""Examples packed into one row are what they are alone, for models of several families; what cannot be is padded."""

import copy
import random
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, Gemma2Config, MambaConfig

from tests.fakes import ARITHMETIC, problems
from tests.test_slots import FAMILIES, SMALL
from tripost.examples import rationale_examples
from tripost.models.encode import Encoded
from tripost.models.gradient import Gradient, open_accelerator
from tripost.models.learner import TorchLearner
from tripost.models.packed import pack, pack_attention, packed_logits

Auto: Any = AutoModelForCausalLM  # transformers has no types here
RNG = random.Random(1)
ROWS = [
    Encoded([RNG.randrange(300) for _ in range(n)], [0.0, *(RNG.choice([0.0, 1.0, 1.5]) for _ in range(n - 1))])
    for n in (2, 9, 31, 4, 17, 30)
]


def model(config: Any) -> Any:
    torch.manual_seed(1)
    found = Auto.from_config(copy.deepcopy(config))  # it is written into
    for parameter in found.parameters():  # far from uniform, so that a leak or a wrong position shows
        parameter.data.mul_(4 if parameter.ndim == 2 else 1)
    return found


@pytest.mark.parametrize("family", FAMILIES)
def test_packed_examples_are_what_they_are_alone(family: str) -> None:
    found = model(FAMILIES[family]).eval()
    with torch.no_grad():
        alone = torch.cat([found(input_ids=torch.tensor([row.ids])).logits[0] for row in ROWS])
        assert pack_attention(found)
        batch = pack(ROWS, "cpu")
        together = packed_logits(found, batch, torch.arange(batch.ids.shape[1]))
    assert batch.lengths == (2, 9, 31, 4, 17, 30)
    torch.testing.assert_close(together, alone, rtol=1e-4, atol=1e-4)


def test_an_example_does_not_see_the_one_before_it() -> None:
    found = model(FAMILIES["llama, grouped queries"])
    assert pack_attention(found)
    logits = []
    for first in (ROWS[2], ROWS[5]):
        batch = pack([first, ROWS[4]], "cpu")
        own = torch.arange(len(first.ids), batch.ids.shape[1])
        logits.append(packed_logits(found, batch, own))
    torch.testing.assert_close(logits[0], logits[1], rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "config",
    [
        MambaConfig(vocab_size=300, hidden_size=16, num_hidden_layers=2, state_size=4),
        Gemma2Config(**SMALL, num_key_value_heads=2, head_dim=8, attn_logit_softcapping=5.0, query_pre_attn_scalar=8),
    ],
    ids=["state space", "capped logits"],
)
def test_what_cannot_be_packed_is_left_as_it_was(config: Any) -> None:
    found = model(config).eval()
    ids = torch.tensor([ROWS[2].ids])
    before = found(input_ids=ids).logits
    assert not pack_attention(found)
    assert torch.equal(found(input_ids=ids).logits, before)


@pytest.mark.parametrize("family", ["llama, grouped queries", "gemma3, a window in most layers"])
@pytest.mark.parametrize("most", [1, 40, 10_000])
def test_loss_and_gradient_are_those_of_padding(toy: SimpleNamespace, family: str, most: int) -> None:
    params = toy.params.train.model_copy(update={"micro_batch_tokens": most})
    found = {}
    for packed in (True, False):
        learner = model(FAMILIES[family])
        gradient = Gradient(learner, open_accelerator(params), params)
        assert gradient.packed
        if not packed:
            learner.set_attn_implementation("sdpa")
            gradient.packed = False
        loss = gradient.add(ROWS, 50.0)
        found[packed] = loss, [parameter.grad for parameter in learner.parameters()]
    assert found[True][0] == pytest.approx(found[False][0], rel=1e-5)
    for mine, theirs in zip(found[True][1], found[False][1], strict=True):
        torch.testing.assert_close(mine, theirs, rtol=1e-3, atol=1e-4 * float(theirs.abs().max()))


def test_a_model_that_packs_already_packs(toy: SimpleNamespace) -> None:
    found = model(FAMILIES["llama, grouped queries"])
    assert [pack_attention(found), pack_attention(found)] == [True, True]
    learner = TorchLearner(str(toy.models / "t0"), toy.params.train.model_copy(update={"epochs": 1}))
    rows = rationale_examples(problems(ARITHMETIC, 3))
    losses = [learner.fit(rows, 1).losses for _ in range(2)]
    assert losses[1][0] < losses[0][0]


@pytest.mark.parametrize("packed", [True, False])
def test_micro_batches_hold_every_row_once_and_their_bound(toy: SimpleNamespace, packed: bool) -> None:
    params = toy.params.train.model_copy(update={"micro_batch_tokens": 40})
    gradient = Gradient(model(FAMILIES["llama, grouped queries"]), open_accelerator(params), params)
    gradient.packed = packed
    batches = gradient.micro_batches(ROWS)
    assert sorted(len(row.ids) for batch in batches for row in batch) == sorted(len(row.ids) for row in ROWS)
    for batch in batches:
        lengths = [len(row.ids) for row in batch]
        assert len(batch) == 1 or (sum(lengths) if packed else len(lengths) * max(lengths)) <= 40
    assert any(len(batch) > 1 for batch in batches)
