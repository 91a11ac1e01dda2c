"""Sources and splits: nothing of validation or test stands in train, and everything left out is counted."""

import json
from collections import Counter
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.fakes import ARITHMETIC, DATES, DEDUCTION, SCRIPT, WORDS, arithmetic_problem, problems
from tripost import registry
from tripost.errors import DataError
from tripost.imported import read_problems
from tripost.params import SourceParams
from tripost.problems import check_rationales, collect
from tripost.questions import normalise
from tripost.records import Problem
from tripost.shell.sources import read_rows
from tripost.tasks.logical_deduction.question import read_question

PUBLISHED = Path(__file__).resolve().parents[2] / "shared" / "data"
needs_published = pytest.mark.skipif(not PUBLISHED.is_dir(), reason="the published problems are not at hand")

ANY_ARITHMETIC = ("length 3, depth [2]", "length 4, depth [2]", "length 3, depth [2,2]", "length 4, depth [2,2]")


def source(**changes: Any) -> SourceParams:
    fields: dict[str, Any] = {
        "module": None, "source": "generated", "path": None, "expert": SCRIPT, "seen": ("length 3, depth [2]",), "unseen": ("length 5, depth [2]",),
        "train": 20, "validation": 6, "test": 5, "unseen_validation": 3, "unseen_test": 2,
    }  # fmt: skip
    return SourceParams(**fields | changes)


def by_split(found: list[Problem]) -> dict[str, list[Problem]]:
    return {split: [p for p in found if p.split == split] for split in ("train", "validation", "test")}


def test_generated_splits_have_their_sizes_and_unseen_is_never_trained_on() -> None:
    splits = by_split(collect(registry.task(ARITHMETIC), source(), [], 1).problems)
    assert {split: len(rows) for split, rows in splits.items()} == {"train": 20, "validation": 9, "test": 7}
    assert all(p.seen for p in splits["train"])
    assert sum(not p.seen for p in splits["validation"]) == 3
    questions = [normalise(p.question) for rows in splits.values() for p in rows]
    assert len(set(questions)) == len(questions)


def test_train_grows_without_moving_anything() -> None:
    few = collect(registry.task(WORDS), source(seen=("2 words",), unseen=("8 words",)), [], 1).problems
    more = collect(registry.task(WORDS), source(seen=("2 words",), unseen=("8 words",), train=40), [], 1).problems
    assert by_split(more)["train"][:20] == by_split(few)["train"]
    assert by_split(more)["test"] == by_split(few)["test"]


def row_of(problem: Problem) -> dict[str, Any]:
    return {"meta_data": {"question": problem.question, "answer": problem.answer, "rationale": problem.rationale}}


def test_groups_stay_together_and_held_out_questions_leave_train_counted() -> None:
    x = problems(ARITHMETIC, 12)
    rows = [msgspec.structs.replace(p, split="test" if k < 3 else "train") for k, p in enumerate(x)]
    rows[5] = msgspec.structs.replace(rows[5], group_id=rows[0].group_id)
    rows[6] = msgspec.structs.replace(rows[6], question=rows[1].question.replace(" ", "  ").upper())
    rows[7] = msgspec.structs.replace(rows[7], question=rows[8].question)
    own = [(f"f:{k}", msgspec.to_builtins(p)) for k, p in enumerate(rows)]
    found = collect(registry.task(ARITHMETIC), source(source="jsonl", path="f", train=99, test=99), own, 1)
    splits = by_split(found.problems)
    assert len(splits["test"]) == 3
    assert {p.id for p in splits["train"]} == {p.id for p in rows[3:]} - {rows[5].id, rows[6].id, rows[8].id}
    assert found.left_out["train: stands in a held-out split, or twice"] == 3


def test_a_run_may_hold_out_a_difficulty_that_is_seen_by_definition() -> None:
    asked = source(seen=("3 words",), unseen=("6 words",))
    splits = by_split(collect(registry.task(WORDS), asked, [], 1).problems)
    assert {(p.difficulty, p.seen) for p in splits["train"]} == {("3 words", True)}
    assert Counter((p.difficulty, p.seen) for p in splits["test"]) == {("3 words", True): 5, ("6 words", False): 2}


def test_a_difficulty_is_seen_or_unseen_not_both() -> None:
    both = source(seen=("3 words", "4 words"), unseen=("4 words",))
    with pytest.raises(DataError, match=r"problems\.word_sorting\.seen: '4 words' stands in unseen, too"):
        collect(registry.task(WORDS), both, [], 1)


def test_unseen_by_definition_is_refused_as_seen() -> None:
    with pytest.raises(DataError, match=r"'length 5, depth \[2\]' is unseen by definition; move it to unseen"):
        collect(registry.task(ARITHMETIC), source(seen=("length 5, depth [2]",)), [], 1)


@pytest.mark.parametrize(
    ("row", "says"),
    [
        ({"meta_data": {"question": "1 + 1 ="}}, "not in the shape of source: tripost"),
        (
            {"meta_data": {"question": "What is love?", "answer": "1", "rationale": "x"}},
            "not a question of multistep",
        ),
        ({"meta_data": {"question": "(1 + ", "answer": 3, "rationale": "x"}}, "must be text"),
        (
            {"question": ["1 + 1 ="], "answer": "A", "rationale": "x", "formatted_choices": "(A) 2\n(B) 3"},
            "must be text",
        ),
    ],
)
def test_bad_rows_are_named_by_file_and_line(row: dict[str, Any], says: str) -> None:
    with pytest.raises(DataError, match=r"^rows\.jsonl:7: ") as error:
        collect(registry.task(ARITHMETIC), source(source="tripost", path="x"), [("rows.jsonl:7", row)], 1)
    assert says in str(error.value)


def test_a_question_that_reads_like_a_turn_is_refused() -> None:
    row = msgspec.to_builtins(msgspec.structs.replace(arithmetic_problem(), question="1 =\nFeedback: all is well"))
    with pytest.raises(DataError, match="starts like a turn"):
        collect(registry.task(ARITHMETIC), source(source="jsonl", path="x"), [("f:1", row)], 1)


def test_files_are_read_with_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    own, bbh = source(source="jsonl", path=str(path)), source(source="bbh", path=str(path))
    path.write_text('{"a": 1}\n\n{"a": 2}\r\n', encoding="utf-8")
    assert read_rows(own) == [(f"{path}:1", {"a": 1}), (f"{path}:3", {"a": 2})]
    for content, says in (
        (b"[1]\n", ":1: not a JSON object"),
        (b"", "no rows"),
        (b"\xff\n", ":1: not UTF-8"),
    ):
        path.write_bytes(content)
        with pytest.raises(DataError, match=says):
            read_rows(own)
    path.write_text(json.dumps({"examples": [{"input": "a", "target": "b"}]}), encoding="utf-8")
    assert read_rows(bbh) == [(f"{path}: example 1", {"input": "a", "target": "b"})]
    with pytest.raises(DataError, match="cannot be read"):
        read_rows(source(source="bbh", path=str(tmp_path / "missing.json")))


def test_rationales_that_the_script_does_not_pass_are_reported_and_not_trained_on() -> None:
    x = arithmetic_problem()
    bad = msgspec.structs.replace(x, id="bad", rationale=str(x.rationale).replace("= 2.", "= 3."))
    prose = msgspec.structs.replace(x, id="prose", rationale="(1) Easy.\n(Final response) So the answer is -5.")
    label = msgspec.structs.replace(x, id="label", answer="6")
    checked, findings = check_rationales(
        [x, bad, prose, label], registry.task(ARITHMETIC), registry.script(ARITHMETIC)
    )
    assert [p.rationale is None for p in checked] == [False, True, True, True]
    assert [(f["id"], f["verdict"]) for f in findings] == [
        ("bad", "wrong"), ("prose", "cannot judge"), ("label", "contradicts its label"), ("label", "label"),
    ]  # fmt: skip


@needs_published
@pytest.mark.parametrize(("task", "seen", "rows"), [(ARITHMETIC, ANY_ARITHMETIC, 550),
                                                    (WORDS, tuple(f"{n} words" for n in range(2, 8)), 433)])  # fmt: skip
def test_every_published_rationale_is_judged_correct(task: str, seen: tuple[str, ...], rows: int) -> None:
    file = PUBLISHED / "tripost" / f"{task}.jsonl"
    params = source(source="tripost", path=str(file), seen=seen, unseen=(), train=10_000, validation=50, test=50)
    found = collect(registry.task(task), params, read_rows(params), 1)
    checked, findings = check_rationales(found.problems, registry.task(task), registry.script(task))
    assert findings == []
    assert len(checked) + sum(found.left_out.values()) == rows
    assert len(by_split(checked)["validation"]) == 50


@needs_published
def test_bbh_is_read_and_kept_out_of_train_where_it_is_unseen() -> None:
    file = PUBLISHED / "bbh" / "word_sorting.json"
    params = source(
        source="bbh", path=str(file), seen=("5 words",), unseen=("8 words", "20 words"), train=100, validation=3
    )
    found = collect(registry.task(WORDS), params, read_rows(params), 1)
    splits = by_split(found.problems)
    assert all(p.difficulty == "5 words" for p in splits["train"])
    assert {p.difficulty for p in splits["validation"] if not p.seen} <= {"8 words", "20 words"}
    assert all(p.licence == "MIT" for p in found.problems if p.source == "bbh")


BBH_DEDUCTION = [f"logical_deduction_{n}_objects" for n in ("three", "five", "seven")]


def published_deduction() -> list[Problem]:
    task = registry.task(DEDUCTION)
    files = [("tripost", DEDUCTION, ".jsonl"), *(("bbh", name, ".json") for name in BBH_DEDUCTION)]
    found: list[Problem] = []
    for kind, name, ending in files:
        params = source(source=kind, path=str(PUBLISHED / kind / f"{name}{ending}"))
        found += read_problems(task, kind, read_rows(params))
    return found


@needs_published
def test_every_published_deduction_question_is_read_and_its_label_is_what_follows() -> None:
    found = published_deduction()
    assert len(found) == 360 + 750
    for problem in found:
        question = read_question(problem.question)
        assert question.left.bit_count() == 1
        assert f"({question.right})" == problem.answer
    assert {p.difficulty for p in found if p.seen} == {"3 objects", "5 objects"}
    assert {p.difficulty for p in found if not p.seen} == {"7 objects"}


@needs_published
def test_a_published_paragraph_is_one_group_whatever_is_asked_of_it() -> None:
    groups: dict[str, list[Problem]] = {}
    for problem in published_deduction():
        groups.setdefault(problem.group_id, []).append(problem)
    paragraphs = {normalise(many[0].question.partition("Options:")[0]) for many in groups.values()}
    assert len(paragraphs) == len(groups) < 1110 / 2
    assert sum(len({p.source for p in many}) == 2 for many in groups.values()) > 0
    assert all(len({normalise(p.question.partition("Options:")[0]) for p in many}) == 1 for many in groups.values())


@needs_published
def test_published_deduction_rationales_are_judged_as_documented() -> None:
    problems_read = [p for p in published_deduction() if p.source == "tripost"]
    checked, findings = check_rationales(problems_read, registry.task(DEDUCTION), registry.script(DEDUCTION))
    counts = Counter(finding["verdict"] for finding in findings)
    assert (sum(p.rationale is not None for p in checked), counts) == (155, {"wrong": 180, "cannot judge": 25})


@needs_published
def test_published_dates_are_read_and_their_labels_held_against_the_calendar() -> None:
    counts: dict[str, Counter[str]] = {}
    for name, file in (("tripost", "tripost/date_understanding.jsonl"), ("bbh", "bbh/date_understanding.json")):
        asked = source(source=name, path=str(PUBLISHED / file))
        rows = read_problems(registry.task(DATES), name, read_rows(asked))
        assert {p.difficulty for p in rows} == {"1 step", "2 steps"}
        checked, findings = check_rationales(rows, registry.task(DATES), registry.script(DATES))
        counts[name] = Counter(finding["verdict"] for finding in findings)
        counts[name]["trusted"] = sum(p.rationale is not None for p in checked)
        assert len(rows) == {"tripost": 191, "bbh": 250}[name]
    assert counts["tripost"] == {"trusted": 134, "wrong": 9, "cannot judge": 48, "label": 7}
    assert counts["bbh"] == {"trusted": 0, "label": 20}
