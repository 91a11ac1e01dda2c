"""`tripost table`, read as its user reads it: what stands in the table, what is concluded, what to type next."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from tripost.cli import main
from tripost.evaluate import metrics
from tripost.records import Prediction, Trajectory, Turn
from tripost.shell.io import write_json, write_records
from tripost.text import parse_attempt, write_feedback

Outcome = tuple[bool, bool]
"""First attempt right, last attempt right."""
Table = Callable[..., str]


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Table:
    """Print the table of tmp_path/eval at a width."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def printed(width: int = 120) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(["table"]) is None
        return capsys.readouterr().out

    return printed


def prediction(number: int, outcome: Outcome, *, task: str, seen: bool) -> Prediction:
    """Where the last attempt differs from the first, or stays wrong, M_theta updated it once."""
    attempts = [parse_attempt(f"(Final response) So the answer is {right:d}.", "m_theta") for right in outcome]
    turns = [Turn(attempt=attempts[0], feedback=write_feedback(attempts[0], None, "", "", "m_theta"), n_tokens=9)]
    if outcome[0] != outcome[1]:
        wrong = write_feedback(attempts[0], 1, "So", "it is wrong", "m_theta")
        turns = [
            Turn(attempt=attempts[0], feedback=wrong, n_tokens=9),
            Turn(attempt=attempts[1], feedback=None, n_tokens=9),
        ]
    identity = f"{task}-{number}"
    row = Trajectory(
        id=f"{identity}/greedy", task=task, problem_id=identity, question_sha256="", seed=0, turns=tuple(turns)
    )
    right = outcome[: len(turns)]
    return Prediction(
        problem_id=identity, task=task, seen=seen, group_id=identity, difficulty="easy", trajectory=row,
        right=right, verdicts=tuple(0 if flag else 1 for flag in right),
    )  # fmt: skip


def predictions(outcomes: Sequence[Outcome], task: str = "sums", unseen_from: int = 10**6) -> list[Prediction]:
    return [prediction(k, outcome, task=task, seen=k < unseen_from) for k, outcome in enumerate(outcomes)]


def evaluated(
    folder: Path, t: str, rows: list[Prediction], before: list[Prediction] | None = None
) -> list[Prediction]:
    """What the eval stage writes."""
    write_records(folder / "eval" / t / "predictions.jsonl", rows)
    write_json(folder / "eval" / t / "metrics.json", metrics(rows, before))
    return rows


def outcomes(right: int, fixed: int = 0, broken: int = 0, wrong: int = 0) -> list[Outcome]:
    return [(True, True)] * right + [(False, True)] * fixed + [(True, False)] * broken + [(False, False)] * wrong


def line(text: str, *words: str) -> str:
    """The one line that starts with these words."""
    (found,) = (line for line in text.splitlines() if line.split()[: len(words)] == list(words))
    return found


def test_a_row_has_percents_with_intervals_and_counts(tmp_path: Path, table: Table) -> None:
    evaluated(tmp_path, "t0", predictions(outcomes(right=9, fixed=2, broken=1, wrong=8)))
    printed = table()
    heads = " ".join(printed.splitlines()[0].split())
    assert heads == "n direct final revised fixed broken p direct p before"
    row = line(printed, "seen", "t0")
    assert "50.0 [29.9, 70.1]" in row  # direct: 10 of 20
    assert "55.0 [34.2, 74.2]" in row  # final: 11 of 20
    assert row.split()[-4:] == ["2", "1", "1.000", "-"]
    assert "\nsums\n  seen  t0" in printed


def test_iterations_are_in_the_order_of_their_numbers(tmp_path: Path, table: Table) -> None:
    for t in ("t10", "t2", "t0"):
        evaluated(tmp_path, t, predictions(outcomes(right=3)))
    rows = [line for line in table().splitlines() if "100.0 [" in line]
    assert [next(word for word in row.split() if word in {"t0", "t2", "t10"}) for row in rows] == ["t0", "t2", "t10"]


def test_seen_unseen_and_all_of_every_task(tmp_path: Path, table: Table) -> None:
    sums = predictions(outcomes(right=5, wrong=5), "sums", unseen_from=5)
    words = predictions(outcomes(right=1, wrong=3), "words")
    evaluated(tmp_path, "t0", sums + words)
    printed = table()
    below_sums, below_words = printed.split("\nwords\n")[0], printed.split("\nwords\n")[1]
    assert "100.0" in line(below_sums, "seen", "t0")
    assert "  0.0 [" in line(below_sums, "unseen", "t0")
    assert " 10 " in line(below_sums, "all", "t0")
    assert " 25.0 [" in line(below_words, "seen", "t0")
    assert "all  " not in below_words.split("What this shows")[0]


@pytest.mark.parametrize("width", [80, 90, 100, 120])
def test_nothing_but_a_command_is_wider_than_the_window(tmp_path: Path, table: Table, width: int) -> None:
    rows = evaluated(tmp_path, "t0", predictions(outcomes(right=500), "multistep_arithmetic", unseen_from=200))
    evaluated(tmp_path, "t1", predictions(outcomes(right=500), "multistep_arithmetic", unseen_from=200), rows)
    printed = table(width).split("Look further")[0]
    assert max(map(len, printed.splitlines())) <= width
    assert "100.0 [99.2, 100.0]" in line(printed, "all", "t0")
    assert ("A wider window shows more" in printed) == (width < 120)
    assert "broken    problems that were right first and wrong in the end" in printed


def test_a_small_change_is_no_difference(tmp_path: Path, table: Table) -> None:
    evaluated(tmp_path, "t0", predictions(outcomes(right=82, wrong=118)))
    evaluated(tmp_path, "t1", predictions(outcomes(right=85, wrong=115)))
    evaluated(tmp_path, "t3", predictions(outcomes(right=80, fixed=7, broken=2, wrong=111)))
    said = " ".join(table().split())
    assert (
        "went from 41.0 to 43.5 (t0 -> t3); 5 problems gained, 0 lost, p = 0.062: this run shows no difference"
        in said
    )
    assert "fixed 7 and broke 2, p = 0.18: this run does not show that it helps or harms." in said
    assert "This is one run: another seed may move as much." in said


def test_a_large_change_is_said_to_be_one_in_its_direction(tmp_path: Path, table: Table) -> None:
    rows = evaluated(tmp_path, "t0", predictions(outcomes(right=60, wrong=40)))
    evaluated(tmp_path, "t1", predictions(outcomes(right=20, broken=20, wrong=60)), rows)
    said = " ".join(table().split())
    assert "from 60.0 to 20.0 (t0 -> t1); 0 problems gained, 40 lost, p < 0.001: worse, by more than chance" in said
    assert "fixed 0 and broke 20, p < 0.001: it harms, by more than chance." in said


def test_without_predictions_the_intervals_have_to_do(tmp_path: Path, table: Table) -> None:
    for t, right in (("t0", 41), ("t2", 45)):
        evaluated(tmp_path, t, predictions(outcomes(right=right, wrong=100 - right)))
        (tmp_path / "eval" / t / "predictions.jsonl").unlink()
    said = " ".join(table().split())
    assert "the intervals overlap: this run shows no difference" in said
    assert "At t2 the model never updated an attempt: final is direct." in said


def test_what_cannot_be_compared_is_not(tmp_path: Path, table: Table) -> None:
    evaluated(tmp_path, "t0", predictions(outcomes(right=3)))
    assert "Only t0 has been evaluated: nothing to compare it with yet." in table()
    evaluated(tmp_path, "t1", predictions(outcomes(right=4)))
    assert "but on other problems (3 and 4): not to be compared." in table()


def test_three_commands_to_look_further(tmp_path: Path, table: Table) -> None:
    evaluated(tmp_path, "t0", predictions(outcomes(right=3)))
    evaluated(tmp_path, "t3", predictions(outcomes(right=3)))
    commands = [line.strip() for line in table(80).split("Look further")[1].splitlines() if line.startswith("    ")]
    assert commands == [
        ".venv/bin/tripost show t3 -n 10",
        "MLFLOW_DISABLE_TELEMETRY=true .venv/bin/mlflow ui --backend-store-uri sqlite:///mlflow.db",
        'PATH="$PWD/.venv/bin:$PATH" dvc exp run -S rebalance.p=0.6',
    ]


def test_without_results_one_line_says_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["table"]) == 1
    said = "error: eval: nothing has been evaluated yet; `make run` runs the whole pipeline\n"
    assert capsys.readouterr().err == said
    (tmp_path / "eval" / "t1").mkdir(parents=True)
    (tmp_path / "eval" / "t1" / "metrics.json").write_text('{"sums": {"total": {"n": "many"}}}')
    assert main(["table"]) == 1
    assert capsys.readouterr().err.startswith("error: eval/t1/metrics.json: not what the eval stage writes: ")


def test_an_unknown_command_is_guessed_at(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main(["tabel"])
    assert "there is no command 'tabel'; did you mean 'table'?" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("words", "absent"),
    [(["--help"], ["torch", "rich", "pydantic", "msgspec"]), (["table"], ["torch", "transformers", "mlflow"])],
)
def test_nothing_heavy_is_imported(tmp_path: Path, words: list[str], absent: list[str]) -> None:
    for t in ("t0", "t2"):
        evaluated(tmp_path, t, predictions(outcomes(right=3, wrong=1)))
    program = (
        "import sys, contextlib\n"
        "from tripost.cli import main\n"
        f"with contextlib.suppress(SystemExit): main({words!r})\n"
        f"print('imported:', [name for name in {absent!r} if name in sys.modules])\n"
    )
    done = subprocess.run([sys.executable, "-c", program], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert "imported: []" in done.stdout
    assert ("doctor" if words == ["--help"] else "75.0 [") in done.stdout
