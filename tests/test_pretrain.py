"""How pages become batches, and how the embedded base is trained on them."""

from itertools import islice
from typing import Any

import numpy as np
import pytest

from tripost.pretrain.corpus import SHARES, pages, shares
from tripost.pretrain.muon import Muon, orthogonal
from tripost.pretrain.packing import LONG, SHORT, batches, stream, tokenised
from tripost.pretrain.page import SAID
from tripost.pretrain.recipe import Recipe, rate_at
from tripost.pretrain.vocabulary import embedded_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return embedded_tokenizer(1024, phrases=100)


@pytest.mark.parametrize("kind", SHARES)
def test_tokens_give_the_text_again_and_learn_what_is_to_be_said(tokenizer: Any, kind: str) -> None:
    made = list(islice(pages(kind, "t"), 10))
    for page, document in zip(made, tokenised(tokenizer, made), strict=True):
        assert tokenizer.decode(document.ids[:-1]) == "".join(text for text, _ in page)
        assert (document.ids[-1], document.learned[-1]) == (tokenizer.eos_token_id, SAID)
        learned = tokenizer.decode([i for i, one in zip(document.ids[:-1], document.learned, strict=False) if one])
        for text, one in page:
            if one:
                assert text.strip() in learned or len(text) < 3


def test_batches_are_full_and_hold_whole_documents(tokenizer: Any) -> None:
    made = batches(stream(tokenizer, "b", shares()), 12, 2048, "b")
    again = batches(stream(tokenizer, "b", shares()), 12, 2048, "b")
    assert len(made) == 12
    for batch, same in zip(made, again, strict=True):
        assert np.array_equal(batch.ids, same.ids)
        assert np.array_equal(batch.learned, same.learned)
        rows, length = batch.ids.shape
        assert length - 1 in (SHORT, LONG)
        assert rows * (length - 1) == 2048
        assert (batch.ids != tokenizer.eos_token_id).mean() > 0.8
        for ids, learned in zip(batch.ids, batch.learned, strict=True):
            filled = len(ids) - int(np.argmax(ids[::-1] != 0)) + 1  # EOS is 0, too: the last document's, then padding
            assert learned[filled:].sum() == 0
    assert 0.3 < np.mean([(batch.learned > 0).mean() for batch in made]) < 0.7


def test_each_kind_has_its_share_of_the_tokens(tokenizer: Any) -> None:
    wanted = {"operations": 3.0, "dates": 1.0}
    found = list(islice(stream(tokenizer, "s", wanted), 400))
    questions = sum(len(d.ids) for d in found if tokenizer.decode(d.ids).startswith("Q: "))
    assert questions / sum(len(d.ids) for d in found) == pytest.approx(0.25, abs=0.02)


def test_the_learning_rate_rises_stays_and_falls_to_nothing() -> None:
    recipe = Recipe(steps=100, decay=40, warmup=10, rate=2.0)
    rates = [rate_at(step, recipe) for step in range(100)]
    assert rates[:10] == pytest.approx([0.2 * k for k in range(1, 11)])
    assert set(rates[9:60]) == {2.0}
    assert rates[60:] == pytest.approx([2.0 * k / 40 for k in range(40, 0, -1)])


@pytest.mark.parametrize("shape", [(3, 8, 8), (2, 16, 6), (2, 6, 16)])
def test_steps_of_muon_are_nearly_orthogonal(shape: tuple[int, ...]) -> None:
    import torch

    torch.manual_seed(0)
    values = torch.linalg.svdvals(orthogonal(torch.randn(shape)))
    assert 0.3 < values.min() < values.max() < 1.3


def test_muon_makes_a_matrix_step_against_its_gradient() -> None:
    import torch

    matrix = torch.nn.Parameter(torch.zeros(4, 4))
    muon = Muon([matrix], weight_decay=0.0)
    muon.rate = 1.0
    matrix.grad = torch.eye(4)
    muon.step()
    assert torch.diag(matrix.detach()).max() < -0.2 * 0.5
    assert (matrix.detach() - torch.diag(torch.diag(matrix.detach()))).abs().max() < 1e-5


def test_dates_are_cut_where_they_can_be_compared(tokenizer: Any) -> None:
    def pieces(text: str) -> list[str]:
        return [tokenizer.decode([i]) for i in tokenizer(text)["input_ids"]]

    assert pieces(" June 2, 2012, that is 06/02/2012.")[1:4] == [" 2", ",", " "]
    assert {"06/", "02/", "20", "12"} <= {piece.strip() for piece in pieces("06/02/2012")}
    assert pieces("(1954 - 20)") == ["(", "1", "9", "5", "4", " - ", "2", "0", ")"]
    assert pieces(" = 2012.") == [" = ", "2", "0", "1", "2", "."]


def test_batches_of_other_sizes_than_rows_make_up_are_refused(tokenizer: Any) -> None:
    with pytest.raises(ValueError, match="1536 tokens a batch: a multiple of 1024 is needed"):
        batches(stream(tokenizer, "b", shares()), 1, 1536, "b")
