"""`tripost show`, read as its user reads it; and whatever a model writes, the terminal is safe from it."""

import os
import subprocess
import sys
import unicodedata
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tripost.cli import main
from tripost.cli.screen import clean, shorten
from tripost.records import Attempt, Dropped, Feedback, Prediction, Problem, Trajectory, Turn
from tripost.shell.io import write_records
from tripost.text import parse_attempt, parse_feedback, write_feedback

Show = Callable[..., str]
QUESTION = "2 + 3 * 4 + 1 ="
RIGHT = "(1) First 3 * 4 = 12.\n(2) Then 2 + 12 = 14.\n(3) Then 14 + 1 = 15.\n(Final response) So the answer is 15."
WRONG = RIGHT.replace("2 + 12 = 14", "2 + 12 = 13")
WORSE = WRONG.replace("14 + 1 = 15", "14 + 1 = 16")


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    """Run `tripost show ...` in tmp_path and return what it prints; an error's line where it fails."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("FORCE_COLOR", raising=False)

    def printed(words: str, width: int = 100, code: int | None = None) -> str:
        monkeypatch.setenv("COLUMNS", str(width))
        assert main(["show", *words.split()]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return printed


def problem(number: int, task: str = "sums", split: str = "train") -> Problem:
    identity = f"{task}-{number}"
    return Problem(
        id=identity, task=task, question=QUESTION, answer="15", rationale=None, difficulty="short", seen=True,
        split="train" if split == "train" else "validation", group_id=identity, source="made up", licence="none",
    )  # fmt: skip


def wrong(attempt: Attempt, author: str) -> Feedback:
    return write_feedback(attempt, 2, "= 13", "2 + 12 is not 13", author)


def right(attempt: Attempt, author: str) -> Feedback:
    return write_feedback(attempt, None, "", "", author)


def trajectory(number: int, *turns: tuple[str, str], task: str = "sums", t: str = "t2") -> Trajectory:
    """Turns of (attempt, author); an attempt in WRONG's words is called wrong, every other one right."""
    made = []
    for raw, author in turns:
        attempt = parse_attempt(raw, author)
        said = None if attempt.malformed else (wrong if "= 13" in raw else right)(attempt, "script")
        made.append(Turn(attempt=attempt, feedback=said, n_tokens=77))
    return Trajectory(
        id=f"{task}-{number}/{t}/0", task=task, problem_id=f"{task}-{number}",
        question_sha256=sha256(QUESTION.encode()).hexdigest(), seed=0, turns=tuple(made),
    )  # fmt: skip


IMPROVING = trajectory(1, (WRONG, "m_theta"), (RIGHT, "script"))
AT_ONCE = [trajectory(k, (RIGHT, "m_theta")) for k in range(2, 9)]
UNREADABLE = trajectory(20, ("I have no idea\nat all", "m_theta"))
UNCHANGED = trajectory(21, (WRONG, "m_theta"), (WRONG, "llm:some-model"))


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """data/t2 as the stages write it, and the problems."""
    folder = tmp_path / "data" / "t2"
    rollout = [trajectory(1, (WRONG, "m_theta")), *AT_ONCE, UNREADABLE, trajectory(21, (WRONG, "m_theta"))]
    write_records(folder / "rollout.jsonl", rollout)
    write_records(folder / "edited.jsonl", [IMPROVING, *AT_ONCE, UNCHANGED])
    write_records(folder / "kept.jsonl", [*AT_ONCE, IMPROVING])
    for stage, row, reason, detail in (
        ("edit", UNREADABLE, "malformed_attempt", "I have no idea\nat all"),
        ("validate", UNCHANGED, "unchanged_update", "step 2"),
        ("rebalance", AT_ONCE[0], "not_sampled", "none of its pairs was taken"),
    ):
        dropped = Dropped(trajectory=row, stage=stage, reason=reason, detail=detail)  # type: ignore[arg-type]
        write_records(folder / f"{stage}.dropped.jsonl", [dropped])
    write_records(tmp_path / "data" / "problems" / "train.jsonl", [problem(k) for k in range(30)])
    write_records(tmp_path / "data" / "t0" / "pool.jsonl", [])
    return folder


def test_an_improving_row_comes_first_with_mark_and_diff(data: Path, show: Show) -> None:
    first = show("t2").split("\n1  ")[1].split("\n2  ")[0]
    assert [line.rstrip() for line in first.splitlines()[1:]] == [
        "kept, short, seen, 77 tokens",
        "",
        "question    2 + 3 * 4 + 1 =",
        "            reference answer: 15",
        "",
        "attempt     (1) First 3 * 4 = 12.",
        "m_theta     (2) Then 2 + 12 >>= 13<<.",
        "            (3) Then 14 + 1 = 15.",
        "            (Final response) So the answer is 15.",
        'feedback    In step (2) the part "= 13" is incorrect. This is because 2 + 12 is not 13.',
        "script",
        "",
        "update 1      (1) kept",
        "script      - (2) Then 2 + 12 = 13.",
        "            + (2) Then 2 + 12 = 14.",
        "              (3) - (Final response) kept",
        "feedback    All steps and the final response are correct.",
        "script",
    ]
    assert first.startswith("sums-1/t2/0 ")


def test_the_counts_say_where_rows_went_and_why(data: Path, show: Show) -> None:
    printed = [" ".join(line.split()) for line in show("t2 -n 0").splitlines()]
    assert printed[:4] == [
        "t2 rows improve",
        "rollout 10 0 as the model wrote them",
        "edited 9 2 continued by the expert from the first mistake on",
        "kept 8 1 passed the filter",
    ]
    assert "edit malformed_attempt 1 an attempt cannot be read" in printed
    assert "validate unchanged_update 1 the update is the attempt again" in printed
    assert "rebalance not_sampled 1 balancing took none of its turn pairs" in printed
    assert printed[-1] == "0 of 8 kept rows"
    assert "dvc repro" not in show("t2 -n 0")
    (data / "edit.dropped.jsonl").unlink()
    assert "10 rows were written, but 9 were edited or dropped: run dvc repro" in show("t2 -n 0")


def test_a_dropped_row_says_why_and_what_that_means(data: Path, show: Show) -> None:
    printed = show("t2 --reason unchanged_update")
    assert "dropped at validate: unchanged_update (the update is the attempt again)\n  step 2\n" in printed
    assert "llm:some-model\n" in printed
    assert "  (2) Then 2 + 12 >>= 13<<." in printed.split("update 1")[1]  # kept, and still wrong: in full
    assert "1 of 1 rows dropped as unchanged_update" in printed
    unreadable = show("t2 --stage edit")
    assert r"  I have no idea\nat all" in unreadable
    assert "m_theta     | I have no idea\n            | at all\n" in unreadable


def test_a_row_is_followed_through_the_stages(data: Path, show: Show) -> None:
    printed = show("t2 --id sums-1")
    assert [line for line in printed.splitlines() if line.endswith("77 tokens")] == [
        "rollout, short, seen, 77 tokens",
        "kept, short, seen, 77 tokens",
    ]
    assert "dropped at rebalance: not_sampled" in show("t2 --id sums-2/t2/0")


def test_the_same_seed_shows_the_same_rows(data: Path, show: Show) -> None:
    assert show("t2 -n 4 --seed 3") == show("t2 -n 4 --seed 3")
    orders = {tuple(line for line in show(f"t2 --seed {k}").splitlines() if "/t2/0" in line) for k in range(5)}
    assert len(orders) > 1
    assert "4 of 8 kept rows; --seed 1 shows others, -n 8 all" in show("t2 -n 4")


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("t3", "error: data has no iteration 't3'; known: t2"),
        ("t0", "error: data has no iteration 't0'; t0 learns from rationales alone; see `tripost show t0 --eval`"),
        ("../t2", "error: data has no iteration '../t2'; known: t2"),
        ("t2 --reason unchanged", "error: reason 'unchanged' is unknown; did you mean 'unchanged_update'?"),
        (
            "t2 --reason too_long",
            "error: no row was dropped as too_long (a training text would not fit into the model's context); "
            "dropped here: malformed_attempt 1, unchanged_update 1, not_sampled 1",
        ),
        ("t2 --task sum", "error: no row is of task 'sum'; did you mean 'sums'?"),
        ("t2 --id sums-99", "error: no row or problem of this iteration has the id 'sums-99'"),
        ("t2 --eval", "error: eval: there is nothing to show yet; `make run` runs the whole pipeline"),
        ("t1 --data void", "error: void: there is nothing to show yet; `make run` runs the whole pipeline"),
    ],
)
def test_an_error_is_one_line_that_helps(data: Path, show: Show, words: str, line: str) -> None:
    assert show(words, code=1) == f"{line}\n"


def test_rows_whose_problem_is_gone_or_changed_say_so(data: Path, show: Show, tmp_path: Path) -> None:
    problems = tmp_path / "data" / "problems" / "train.jsonl"
    changed = Problem(**{name: getattr(problem(1), name) for name in Problem.__struct_fields__} | {"question": "1 ="})
    write_records(problems, [changed])
    assert "The question has changed since this row was written: run dvc repro." in show("t2 -n 1")
    problems.unlink()
    assert "question    (this problem is not at hand)" in show("t2 -n 1")


HOSTILE = [
    "\x1b[31mred\x1b[0m \x1b]8;;http://evil\x07link\x1b]8;;\x07 \x9b2J",
    "[red]markup[/red] [link=http://evil]x[/link] [/] :smile:",
    "\u202eback\u202c \u2066wards\u2069 zero\u200bwidth \x00 \x7f \r gone",
]


def hostile_row(number: int, text: str) -> Trajectory:
    """All that a model or a file can put anywhere: the attempt, the author, the feedback, the ids."""
    attempt = Attempt(steps=(), final=None, final_text="", raw=text, author=text)
    said = Feedback(text=text, wrong_step=1, wrong_part=text, reason=text, author=text)
    turn = Turn(attempt=attempt, feedback=said, n_tokens=1)
    return Trajectory(
        id=f"{number}{text}", task="sums", problem_id=text, question_sha256="", seed=0, turns=(turn, turn)
    )


@pytest.mark.parametrize("force_colour", [False, True])
def test_what_a_model_writes_is_shown_never_obeyed(
    data: Path, show: Show, monkeypatch: pytest.MonkeyPatch, force_colour: bool
) -> None:
    rows = [hostile_row(k, text) for k, text in enumerate(HOSTILE)]
    dropped = [Dropped(trajectory=row, stage="edit", reason=row.id, detail=row.id) for row in rows]
    write_records(data / "edit.dropped.jsonl", dropped)
    write_records(data / "rollout.jsonl", rows)
    if force_colour:
        monkeypatch.setenv("FORCE_COLOR", "1")
        monkeypatch.setenv("TERM", "xterm")
    for stage in ("edit", "rollout"):
        printed = show(f"t2 --stage {stage}")
        ours = printed.replace("\x1b[", "").replace("\n", "") if force_colour else printed.replace("\n", "")
        assert [c for c in ours if unicodedata.category(c) in {"Cc", "Cf"}] == []
        assert r"\x1b[31mred\x1b[0m" in printed
        assert r"\x9b2J" in printed
        assert "[red]markup[/red]" in printed
        assert ":smile:" in printed
        assert r"\u202eback\u202c" in printed
        assert r"zero\u200bwidth \x00 \x7f \r gone" in printed.replace("\n" + " " * 16, " ").replace("\n", " ")


@pytest.mark.parametrize("text", ["x" * 1_000_000, "\n" * 1_000_000, "(1) a\n" * 100_000, "\x1b" * 500_000])
def test_a_megabyte_is_cut_and_the_rest_counted(data: Path, show: Show, text: str) -> None:
    attempt = Attempt(steps=(), final=None, final_text="", raw=text, author="m_theta")
    turn = Turn(attempt=attempt, feedback=None, n_tokens=1)
    row = Trajectory(id="huge", task="sums", problem_id="", question_sha256="", seed=0, turns=(turn, turn))
    write_records(data / "kept.jsonl", [row])
    printed = show("t2")
    assert len(printed) < 100_000
    assert " characters more)" in printed


def test_colours_replace_the_marks(data: Path, show: Show, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("FORCE_COLOR", "1")
    printed = show("t2 -n 1")
    assert "\x1b[7;31m= 13\x1b[0m" in printed
    assert ">>" not in printed
    monkeypatch.setenv("NO_COLOR", "1")
    assert ">>= 13<<" in show("t2 -n 1")


@pytest.mark.parametrize("width", [40, 80, 100])
def test_no_line_is_wider_than_the_window(data: Path, show: Show, width: int) -> None:
    long = trajectory(3, (RIGHT.replace("First", "First " + "of all " * 30 + "x" * 300), "m_theta"))
    write_records(data / "kept.jsonl", [long])
    assert max(map(len, show("t2", width=width).splitlines())) <= width


def prediction(number: int, row: Trajectory, *right: bool) -> Prediction:
    return Prediction(
        problem_id=f"sums-{number}", task="sums", seen=True, group_id="g", difficulty="short", trajectory=row,
        right=right, verdicts=tuple(0 if flag else 2 for flag in right),
    )  # fmt: skip


def test_evaluation_shows_what_was_broken_fixed_and_malformed(data: Path, show: Show, tmp_path: Path) -> None:
    odd = parse_attempt(RIGHT, "m_theta")
    unreadable = Turn(attempt=odd, feedback=parse_feedback("hm", odd, "m_theta"), n_tokens=9)
    rows = [
        prediction(1, trajectory(1, (RIGHT, "m_theta")), True),
        prediction(2, trajectory(2, (WRONG, "m_theta"), (RIGHT, "m_theta")), False, True),
        prediction(3, trajectory(3, (RIGHT, "m_theta"), (WRONG, "m_theta"), (WORSE, "m_theta")), True, False, False),
        prediction(4, Trajectory(id="four", task="sums", problem_id="sums-4", question_sha256="", seed=0,
                                 turns=(unreadable,)), True),
    ]  # fmt: skip
    write_records(tmp_path / "eval" / "t2" / "predictions.jsonl", rows)
    write_records(tmp_path / "data" / "problems" / "validation.jsonl", [problem(k, split="val") for k in range(9)])
    everything = show("t2 --eval")
    counts = [" ".join(line.split()) for line in everything.splitlines()[:2]]
    assert counts == ["t2 problems direct final revised broken fixed malformed", "sums 4 3 3 2 1 1 1"]
    assert everything.index("\n1  sums-3/") < everything.index("\n2  sums-2/")
    broken = show("t2 --broken")
    assert "judged      answer wrong; first mistake, says the expert: step (2)" in broken
    assert "judged      answer right; no mistake, says the expert" in broken
    assert "sums-2/" not in broken
    assert "1 of 1 predictions: broken, right at first, wrong in the end" in broken
    assert "sums-2/" in show("t2 --eval --fixed")
    assert "feedback    cannot be read: hm" in show("t2 --malformed")


def test_a_plain_terminal_and_a_closed_pipe_are_no_errors(data: Path, tmp_path: Path) -> None:
    write_records(
        data / "kept.jsonl",
        [trajectory(k, (RIGHT.replace("First", "\u00dcber \u4e2d"), "m_theta")) for k in range(999)],
    )
    environment = {**os.environ, "PYTHONIOENCODING": "ascii", "COLUMNS": "80"}
    command = [sys.executable, "-m", "tripost.cli", "show", "t2", "-n", "999"]
    with subprocess.Popen(
        command, cwd=tmp_path, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        head = process.stdout.read(4_000)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert rb"(1) \xdcber \u4e2d 3 * 4 = 12." in head


@given(st.text(st.characters()))
def test_clean_text_holds_no_control_characters(text: str) -> None:
    cleaned = clean(text)
    assert all(c.isprintable() or c in "\n\t" for c in cleaned)
    assert not {unicodedata.category(c) for c in cleaned if c not in "\n\t"} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    assert clean(cleaned) == cleaned


@given(st.text(st.characters(categories=["L", "N", "P", "S"])), st.integers(0, 20))
def test_printable_text_stays_as_it_is(text: str, limit: int) -> None:
    assert clean(text) == text
    assert shorten(text, len(text)) == text
    assert shorten(text, limit).startswith(text[:limit])
