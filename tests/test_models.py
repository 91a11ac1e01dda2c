"""Tokens, loss, learning and decoding with a real (tiny) model."""

import math
from pathlib import Path
from types import SimpleNamespace

import msgspec
import pytest

from tests.fakes import ARITHMETIC, WORDS, balanced, problems
from tests.test_edit import RIGHT, WRONG
from tests.test_filter import FOUND, GOOD, X
from tripost.errors import ModelError, TrainingError
from tripost.examples import rationale_examples
from tripost.interfaces import Sampling
from tripost.layout import PAPER_LAYOUT
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import encode, encode_prompts
from tripost.models.learner import TorchLearner, plan_steps
from tripost.models.load import load_tokenizer
from tripost.params import TrainParams
from tripost.prompts import attempt_prompt, feedback_prompt, update_prompt
from tripost.rebalance import PAPER_WEIGHTS
from tripost.records import Example, Segment, Turn
from tripost.text import ATTEMPT_STOPS, write_feedback

from tests.test_rebalance import params as rebalance_params  # isort: skip


def train_params(toy: SimpleNamespace, **changes: object) -> TrainParams:
    found: TrainParams = toy.params.train
    return found.model_copy(update=changes)


def examples() -> list[Example]:
    found, *_ = balanced([GOOD], {X.id: X}, rebalance_params("none", weights=PAPER_WEIGHTS), {}, "1 t1")
    return found + rationale_examples(problems(ARITHMETIC, 3) + problems(WORDS, 3))


def test_prompts_at_rollout_are_the_first_tokens_of_the_example(toy: SimpleNamespace) -> None:
    tokenizer = load_tokenizer(str(toy.models / "base"))
    found, *_ = balanced([GOOD], {X.id: X}, rebalance_params("none"), {}, "1 t1")
    for example in found:
        texts = [segment.text for segment in example.segments]
        y = next(turn for turn in GOOD.turns if turn.attempt.raw == texts[1] or example.kind == "ground_truth")
        prompts = [attempt_prompt(X.question), feedback_prompt(X.question, [], y.attempt, PAPER_LAYOUT)]
        if example.kind == "improvement":
            prompts.append(update_prompt(X.question, [], y, PAPER_LAYOUT))
        ids = encode(tokenizer, [example])[0].ids
        if example.kind == "ground_truth":
            prompts = prompts[:1]
        for prompt in encode_prompts(tokenizer, prompts):
            assert ids[: len(prompt)] == prompt


def test_a_token_over_a_border_takes_the_later_weight_and_eos_the_last_one(toy: SimpleNamespace) -> None:
    tokenizer = load_tokenizer(str(toy.models / "base"))
    parts = [("question", "Let's calc", 0.5), ("attempt", "ulate A", 2.0)]
    example = Example(
        id="e", kind="correct", task="t", problem_id="p",
        segments=tuple(Segment(part=p, text=t, weight=w) for p, t, w in parts),  # type: ignore[arg-type]
    )  # fmt: skip
    row = encode(tokenizer, [example])[0]
    pieces = [tokenizer.decode([i]) for i in row.ids]
    assert " calculate" in pieces, pieces
    assert row.weights[pieces.index(" calculate")] == 2.0
    assert row.weights[0] == 0.5
    assert (row.ids[-1], row.weights[-1]) == (tokenizer.eos_token_id, 2.0)


def test_tokenizer_spells_words_and_round_trips(toy: SimpleNamespace) -> None:
    tokenizer = load_tokenizer(str(toy.models / "base"))
    for text in (RIGHT, WRONG, FOUND.text, "naïve \u202e text\n 12-3", problems(WORDS, 1)[0].question):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
    assert len(tokenizer("xqzw")["input_ids"]) == 4
    assert len(tokenizer("2345")["input_ids"]) == 4


@pytest.mark.parametrize(
    "batch", [{"micro_batch_tokens": 100_000}, {"micro_batch_tokens": 600}, {"micro_batch_tokens": 1}]
)
def test_the_loss_is_the_same_under_accumulation_and_padding(toy: SimpleNamespace, batch: dict[str, int]) -> None:
    learner = TorchLearner(str(toy.models / "t0"), train_params(toy, epochs=2, batch_size=5, **batch))
    losses = learner.fit(examples(), 1).losses
    plain = TorchLearner(str(toy.models / "t0"), train_params(toy, epochs=2, batch_size=5, micro_batch_tokens=2000))
    assert losses == pytest.approx(plain.fit(examples(), 1).losses, rel=2e-4)


def test_the_loss_is_the_weighted_mean_over_target_tokens(toy: SimpleNamespace) -> None:
    """Against the definition, written out token by token."""
    import torch

    learner = TorchLearner(str(toy.models / "t0"), train_params(toy, epochs=1, batch_size=100))
    rows = encode(learner.tokenizer, examples())
    total = weight = 0.0
    with torch.no_grad():
        for row in rows:
            logits = learner.model(input_ids=torch.tensor([row.ids])).logits[0].double().log_softmax(-1)
            for k in range(1, len(row.ids)):
                total -= row.weights[k] * float(logits[k - 1, row.ids[k]])
                weight += row.weights[k]
    assert learner.fit(examples(), 1).losses[0] == pytest.approx(total / weight, rel=1e-4)


def test_scaling_all_weights_does_not_change_training(toy: SimpleNamespace, tmp_path: Path) -> None:
    many = rationale_examples(problems(ARITHMETIC, 4))
    heavy = [
        msgspec.structs.replace(
            e, segments=tuple(msgspec.structs.replace(s, weight=s.weight * 3) for s in e.segments)
        )
        for e in many
    ]
    runs = [TorchLearner(str(toy.models / "t0"), train_params(toy, epochs=2)).fit(e, 1).losses for e in (many, heavy)]
    assert runs[0] == pytest.approx(runs[1], rel=1e-4)


def test_training_twice_gives_the_same_bytes(toy: SimpleNamespace, tmp_path: Path) -> None:
    for name in ("a", "b"):
        learner = TorchLearner(str(toy.models / "t0"), train_params(toy, epochs=1))
        learner.fit(examples(), 7)
        learner.save(tmp_path / name)
    weights = [(tmp_path / name / "model.safetensors").read_bytes() for name in ("a", "b")]
    assert weights[0] == weights[1]
    assert weights[0] != (toy.models / "t0" / "model.safetensors").read_bytes()
    assert sorted(p.name for p in tmp_path.iterdir()) == ["a", "b"]


def test_a_budget_in_tokens_is_met_and_counts_targets_alone(toy: SimpleNamespace) -> None:
    learner = TorchLearner(str(toy.models / "base"), train_params(toy))
    rows = encode(learner.tokenizer, examples())
    per_epoch = sum(sum(w > 0 for w in row.weights[1:]) for row in rows)
    for budget in (per_epoch // 2, 3 * per_epoch):
        plan = plan_steps(rows, train_params(toy, epochs=None, tokens=budget, batch_size=2), 1)
        tokens = [sum(sum(w > 0 for w in rows[i].weights[1:]) for i in batch) for batch in plan]
        assert sum(tokens[:-1]) < budget <= sum(tokens)
    epochs = plan_steps(rows, train_params(toy, epochs=3, batch_size=4), 1)
    assert sorted(i for batch in epochs for i in batch) == sorted(list(range(len(rows))) * 3)


def test_a_loss_that_is_not_finite_stops_with_the_step_and_the_ids(toy: SimpleNamespace) -> None:
    many = rationale_examples(problems(ARITHMETIC, 2))
    bad = [
        msgspec.structs.replace(e, segments=tuple(msgspec.structs.replace(s, weight=math.inf) for s in e.segments))
        for e in many
    ]
    learner = TorchLearner(str(toy.models / "t0"), train_params(toy, epochs=1))
    with pytest.raises(
        TrainingError, match=r"step 1: the loss is nan, its gradient nan; batch: multistep_arithmetic-g5-"
    ):
        learner.fit(bad, 1)


def test_a_text_longer_than_the_context_is_named(toy: SimpleNamespace) -> None:
    from tripost import registry

    long = next(iter(registry.task(WORDS).problems(["20 words"], 1)))
    with pytest.raises(ModelError, match=f"{long.id}/rationale: [0-9]+ tokens, but the model's context is 512"):
        TorchLearner(str(toy.models / "t0"), train_params(toy)).fit(rationale_examples([long]), 1)


def test_pickled_weights_are_refused(tmp_path: Path, toy: SimpleNamespace) -> None:
    import shutil

    folder = tmp_path / "pickled"
    shutil.copytree(toy.models / "t0", folder)
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")
    with pytest.raises(ModelError, match="pickled weights are not loaded"):
        TorchDecoder(str(folder), 2)
    with pytest.raises(ModelError, match="nothing: no such folder; "):
        load_tokenizer(str(tmp_path / "nothing"))


class TestDecoder:
    def prompts(self) -> list[str]:
        return [attempt_prompt(p.question) for p in problems(ARITHMETIC, 4) + problems(WORDS, 3)]

    def test_greedy_is_what_generate_writes(self, toy: SimpleNamespace) -> None:
        import torch

        decoder = TorchDecoder(str(toy.models / "t0"), 3)
        prompts = self.prompts()
        ours = decoder.complete(prompts, Sampling(temperature=0.0, max_new_tokens=40), [0] * len(prompts))
        for prompt, completion in zip(prompts, ours, strict=True):
            ids = torch.tensor([encode_prompts(decoder.tokenizer, [prompt])[0]])
            theirs = decoder.model.generate(
                ids, attention_mask=torch.ones_like(ids), max_new_tokens=40, do_sample=False,
                pad_token_id=decoder.tokenizer.pad_token_id,
            )[0, ids.shape[1] :]  # fmt: skip
            assert completion.text == decoder.tokenizer.decode(theirs, skip_special_tokens=True)

    def test_batch_size_and_order_change_nothing(self, toy: SimpleNamespace) -> None:
        prompts = self.prompts()
        seeds = list(range(len(prompts)))
        sampling = Sampling(temperature=1.0, max_new_tokens=60, stops=ATTEMPT_STOPS)
        one = TorchDecoder(str(toy.models / "t0"), 1).complete(prompts, sampling, seeds)
        many = TorchDecoder(str(toy.models / "t0"), 5).complete(prompts[::-1], sampling, seeds[::-1])
        assert one == many[::-1]

    def test_a_neighbour_near_the_end_of_the_context_cuts_nobody_else_short(self, toy: SimpleNamespace) -> None:
        decoder = TorchDecoder(str(toy.models / "t0"), 2)
        short, filling = self.prompts()[0], self.prompts()[0] + "1 + " * 156
        assert 500 < decoder.count_tokens([filling])[0] < 512, decoder.count_tokens([filling])
        sampling = Sampling(temperature=0.0, max_new_tokens=40)
        (alone,) = decoder.complete([short], sampling, [0])
        beside, filled = decoder.complete([short, filling], sampling, [0, 0])
        assert beside == alone
        assert filled.n_tokens < 12 < alone.n_tokens

    def test_seeds_matter_and_repeat(self, toy: SimpleNamespace) -> None:
        decoder = TorchDecoder(str(toy.models / "t0"), 8)
        prompt = self.prompts()[:1] * 6
        hot = Sampling(temperature=2.0, max_new_tokens=30)
        texts = [c.text for c in decoder.complete(prompt, hot, [1, 2, 3, 1, 2, 3])]
        assert texts[:3] == texts[3:]
        assert len(set(texts)) == 3

    def test_limits_stops_and_progress(self, toy: SimpleNamespace) -> None:
        decoder = TorchDecoder(str(toy.models / "t0"), 2)
        prompts = self.prompts()[:4]
        counted: list[tuple[int, int]] = []

        def count(rows: int, tokens: int) -> None:
            counted.append((rows, tokens))

        sampling = Sampling(temperature=0.0, max_new_tokens=150, stops=("\n(2)",))
        done = decoder.complete(prompts, sampling, [0] * 4, count)
        assert all("\n(2)" not in c.text and c.text.startswith("(1)") for c in done if c.finished)
        assert any(c.finished for c in done)
        assert sum(rows for rows, _ in counted) == 4
        assert sum(tokens for _, tokens in counted) >= sum(c.n_tokens for c in done)
        short = decoder.complete(prompts, Sampling(temperature=0.0, max_new_tokens=5), [0] * 4)
        assert all((c.finished, c.n_tokens) == (False, 5) for c in short)

    def test_a_prompt_that_fills_the_context_gets_nothing(self, toy: SimpleNamespace) -> None:
        decoder = TorchDecoder(str(toy.models / "t0"), 2)
        (done,) = decoder.complete(["x1" * 300], Sampling(temperature=0.0, max_new_tokens=5), [0])
        assert (done.text, done.finished) == ("", False)

    def test_stored_token_counts_are_those_of_the_example(self, toy: SimpleNamespace) -> None:
        decoder = TorchDecoder(str(toy.models / "t0"), 2)
        y = GOOD.turns[0].attempt
        turn = Turn(attempt=y, feedback=write_feedback(y, None, "", "", "script"), n_tokens=0)
        text = update_prompt(X.question, [], turn, PAPER_LAYOUT)
        assert decoder.count_tokens([text]) == [len(encode_prompts(decoder.tokenizer, [text])[0]) + 1]
