"""Turn by turn, with seeds by problem, sample and turn; text that runs away ends it."""

from typing import Any

from tests.fakes import ARITHMETIC, WORDS, ScriptedModel, arithmetic_problem, attempt, problems
from tests.test_edit import OWN, RIGHT, WRONG
from tripost.interfaces import Completion
from tripost.params import MaxNewTokens, RolloutParams
from tripost.prompts import attempt_prompt
from tripost.records import Trajectory
from tripost.rollout import derive_seed, rollout, window
from tripost.text import ALL_CORRECT

X = arithmetic_problem()


def params(samples: int) -> RolloutParams:
    return RolloutParams(
        samples=samples, window="all", temperature=1.0, max_turns=3,
        max_new_tokens=MaxNewTokens(attempt=50, feedback=20), batch_size=4,
    )  # fmt: skip


def run(model: ScriptedModel, *, own: bool = True, samples: int = 1) -> list[Trajectory]:
    return rollout(model, [X], params(samples), "t2", seed=1, own_feedback=own)


def talker(feedbacks: list[str], updates: list[str]) -> ScriptedModel:
    """Writes WRONG, then these feedbacks and updates in turn."""

    def answer(prompt: str, seed: int) -> str:
        if prompt.endswith("\nFeedback:"):
            return f" {feedbacks.pop(0)}\nUpdated Answer:\n"
        return f"{updates.pop(0)}\nFeedback:" if "Updated Answer:" in prompt else f"{WRONG}\nFeedback: rest"

    return ScriptedModel(answer)


def test_m_theta_speaks_turn_by_turn_to_its_own_end() -> None:
    (row,) = run(talker([OWN.text, ALL_CORRECT], [RIGHT]))
    assert [turn.attempt.raw for turn in row.turns] == [WRONG, RIGHT]
    assert [turn.feedback.text for turn in row.turns if turn.feedback] == [OWN.text, ALL_CORRECT]
    assert {turn.attempt.author for turn in row.turns} == {"m_theta"}
    assert all(turn.n_tokens > len(RIGHT) for turn in row.turns)


def test_m_0_writes_an_attempt_only() -> None:
    model = talker([], [])
    (row,) = run(model, own=False)
    assert (len(row.turns), row.turns[0].feedback) == (1, None)
    assert len(model.asked) == 1


def test_it_ends_at_malformed_feedback_at_a_malformed_update_and_at_max_turns() -> None:
    (row,) = run(talker(["well ..."], []))
    assert row.turns[-1].feedback is not None
    assert row.turns[-1].feedback.malformed
    (row,) = run(talker([OWN.text], ["no steps"]))
    assert row.turns[-1].attempt.malformed
    assert row.final_attempt.raw == WRONG
    (row,) = run(talker([OWN.text] * 3, [WRONG] * 2))
    assert len(row.turns) == 3


def test_what_ran_into_the_limit_counts_as_unreadable_even_where_it_parses() -> None:
    class Endless(ScriptedModel):
        def complete(self, *given: Any, **more: Any) -> list[Completion]:
            return [Completion(text=c.text, n_tokens=50, finished=False) for c in super().complete(*given, **more)]

    (row,) = run(Endless(lambda prompt, seed: RIGHT))
    assert row.turns[0].attempt.malformed
    assert row.turns[0].attempt.raw == RIGHT


def test_seeds_differ_by_problem_sample_turn_and_iteration_and_repeat() -> None:
    models = [talker([OWN.text, ALL_CORRECT] * 2, [RIGHT] * 2) for _ in range(2)]
    rows = [run(model, samples=2) for model in models]
    asked = [[(prompt, seed) for prompt, _, seed in model.asked] for model in models]
    assert asked[0] == asked[1]
    assert rows[0] == rows[1]
    assert len({seed for _, seed in asked[0]}) == len(asked[0]) >= 6
    assert derive_seed(1, "x/t1/0") != derive_seed(1, "x/t2/0") != derive_seed(2, "x/t2/0")
    assert [row.id for row in rows[0]] == ["x1/t2/0", "x1/t2/1"]


def test_stops_are_cut_and_the_prompt_is_the_layouts() -> None:
    model = talker([ALL_CORRECT], [])
    run(model)
    assert model.asked[0][0] == attempt_prompt(X.question)
    assert model.asked[1][0] == f"{attempt_prompt(X.question)}{attempt(WRONG).raw}\nFeedback:"
    assert model.asked[0][1].max_new_tokens == 50
    assert model.asked[1][1].max_new_tokens == 20


def test_window_takes_each_tasks_problems_in_turn_wrapping_round() -> None:
    many = problems(ARITHMETIC, 5) + problems(WORDS, 3)
    numbers = [[int(p.id.rpartition("-")[2]) for p in window(many, 2, t)] for t in ("t1", "t2", "t3")]
    assert numbers == [[0, 1, 0, 1], [2, 3, 2, 0], [4, 0, 1, 2]]
    assert window(many, "all", "t7") == many
    assert len(window(many, 100, "t2")) == 8
