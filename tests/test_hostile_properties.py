"""Properties of every parser and codec under hostile text: round trips, and no error but our own."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import attempt
from tests.fuzz.file_targets import held, shipped
from tests.fuzz.text_targets import WALK, both_read, check_attempt, check_walk
from tests.test_io import ATTEMPTS, FEEDBACK, TEXT, TRAJECTORIES
from tripost.errors import DataError, ParamsError
from tripost.params import Params
from tripost.params_file import check_params
from tripost.parts import find_part
from tripost.records import Dropped, Example, Prediction, Problem, Record, Segment, Turn
from tripost.shell.io import read_records
from tripost.tasks.word_sorting.derive import groups_at
from tripost.tasks.word_sorting.lines import (
    MAX_LETTERS,
    ORDINALS,
    UnreadableError,
    letter,
    read_groups,
    read_letters,
    read_order,
    write_groups,
    write_letters,
    write_order,
)
from tripost.text import (
    has_marker,
    parse_attempt,
    parse_feedback,
    read_written_feedback,
    reads_back,
    walk,
    write_attempt,
    write_feedback,
)

HOSTILE = st.text(
    st.sampled_from(
        'aA1(). \t"<|>=-_\u0663\u00b2\u202e\u2066\x00\x1b\x85\u2028\r\u00a0\u3000\u017f\u0130\u212a\ufffd'
    )
)
ANYTHING = (
    HOSTILE | st.text() | st.sampled_from(["Feedback: f", "So the answer is ", '" is incorrect. This is because '])
)
LINES = st.lists(ANYTHING.map(lambda text: text.replace("\n", " ")), min_size=1, max_size=6)
WORD = st.text(st.characters(max_codepoint=127, exclude_characters='"'), min_size=1, max_size=MAX_LETTERS)
"""What both experts take for a word, but for its case."""
READERS = {"letters": read_letters, "groups": read_groups, "order": read_order}


@given(st.lists(WORD, min_size=2, max_size=9), st.integers(1, len(ORDINALS)))
def test_lines_of_letters_round_trip(words: list[str], k: int) -> None:
    named, place, letters = read_letters(write_letters(words, k, whole=False))
    assert (named, place) == (tuple(words), k)
    assert [(item.word, (item.letter, item.number)) for item in letters] == [(w, letter(w, k)) for w in words]
    assert read_letters(write_letters(words, 1, whole=True))[:2] == (None, 1)


@given(st.lists(WORD, min_size=1, max_size=9, unique=True))
def test_lines_of_groups_and_orders_round_trip(words: list[str]) -> None:
    groups = groups_at(words, 1)
    assert [(found.number, list(found.words)) for found in read_groups(write_groups(groups))] == groups
    assert read_order(write_order(words)) == words


@given(st.sampled_from(sorted(READERS)), ANYTHING, ANYTHING)
def test_readers_of_lines_raise_only_their_error(kind: str, head: str, text: str) -> None:
    rest = ""  # most texts raise, not all
    try:
        READERS[kind](f"{head}{text}")
    except UnreadableError as error:
        rest = str(error)
    assert f"{head}{text}".endswith(rest)


@given(LINES)
def test_attempts_of_hostile_lines_read_again_as_themselves(lines: list[str]) -> None:
    numbered = [f"({n}) {line}" for n, line in enumerate(lines, start=1)]
    check_attempt("\n".join(lines))
    check_attempt("\n".join([*numbered, "(Final response) So the answer is 7."]))
    check_attempt("\n".join([*numbered, f"(Final response) So the answer is {lines[0]}"]))


@given(LINES)
def test_a_written_attempt_is_what_was_written_or_malformed(lines: list[str]) -> None:
    y = attempt("\n".join([*(f"({n}) {line}" for n, line in enumerate(lines, start=1)), "(9) So the answer is 7."]))
    again = write_attempt(y.steps, y.final_text, "script")
    assert again.malformed == y.malformed
    assert again.steps == y.steps
    assert not has_marker(again.raw) or again.malformed


@given(ANYTHING, ANYTHING, st.integers(1, 2))
def test_feedback_reads_back_or_says_that_it_does_not(part: str, reason: str, step: int) -> None:
    y = attempt("(1) one\n(Final response) So the answer is 1.")
    said = write_feedback(y, step, part, reason, "script")
    found = parse_feedback(said.text, y, "script")
    assert reads_back(said, y) == (found == said)
    if found == said:
        both_read(y, said)
        assert (said.wrong_part, said.reason) == (part, reason)


@given(ANYTHING, ANYTHING, st.integers(1, 3), ANYTHING)
def test_a_walk_and_its_verdict_are_read_as_the_verdict(part: str, reason: str, step: int, text: str) -> None:
    y = attempt("(1) one\n(2) two\n(Final response) So the answer is 1.")
    for said in (write_feedback(y, step, part, reason, "script"), write_feedback(y, None, "", "", "script")):
        if reads_back(said, y):
            assert read_written_feedback(walk(y, said) + said.text, y, "script", WALK) == said
    check_walk(text, y, parse_feedback(text, y, "m_theta"))
    check_walk(f"Step (1) is correct. {text}", y, parse_feedback(text, y, "m_theta"))


@given(ANYTHING, ANYTHING)
def test_a_part_that_is_found_stands_there(part: str, line: str) -> None:
    for text in (line, f"{line} {part} {line}", part):
        found = find_part(part, text)
        assert found is None or text[found[0] : found[1]] == part
    assert not part or find_part(part, f"{line} {part} {line}") is not None


WEIGHTS = st.floats(0, 100)
PARTS = st.sampled_from(["question", "attempt", "wrong_attempt", "feedback", "update"])
RECORDS: dict[type[Record], st.SearchStrategy[Any]] = {
    Problem: st.builds(
        Problem, id=TEXT, task=TEXT, question=TEXT, answer=TEXT, rationale=st.none() | TEXT, difficulty=TEXT,
        seen=st.booleans(), split=st.sampled_from(["train", "validation", "test"]), group_id=TEXT, source=TEXT, licence=TEXT,
    ),
    Turn: st.builds(Turn, attempt=ATTEMPTS, feedback=st.none() | FEEDBACK, n_tokens=st.integers(0, 2**63)),
    Dropped: st.builds(
        Dropped, trajectory=TRAJECTORIES, stage=st.sampled_from(["edit", "validate", "rebalance"]), reason=TEXT, detail=TEXT
    ),
    Example: st.builds(
        Example, id=TEXT, kind=st.sampled_from(["improvement", "correct", "ground_truth"]), task=TEXT, problem_id=TEXT,
        segments=st.lists(st.builds(Segment, part=PARTS, text=TEXT, weight=WEIGHTS), max_size=4).map(tuple),
    ),
    Prediction: st.builds(
        Prediction, problem_id=TEXT, task=TEXT, seen=st.booleans(), group_id=TEXT, difficulty=TEXT, trajectory=TRAJECTORIES,
        right=st.lists(st.booleans(), max_size=3).map(tuple), verdicts=st.lists(st.integers(-1, 300), max_size=3).map(tuple),
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", RECORDS)
def test_records_round_trip(kind: type[Record]) -> None:
    @given(st.lists(RECORDS[kind], max_size=3))
    def run(rows: list[Record]) -> None:
        content = b"".join(msgspec.json.encode(row) + b"\n" for row in rows)
        assert list(read_records(held(content), kind)) == rows

    run()


@given(st.sampled_from(sorted(RECORDS, key=str)), st.binary(max_size=80), st.data())
def test_broken_records_raise_only_our_error(kind: type[Record], junk: bytes, data: st.DataObject) -> None:
    line = msgspec.json.encode(data.draw(RECORDS[kind])) + b"\n"
    cut = data.draw(st.integers(0, len(line)))
    rows, said = [], "held.jsonl:"  # junk may be blanks, and then nothing is raised
    try:
        rows = list(read_records(held(line[:cut] + junk + line[cut:]), kind))
    except DataError as error:
        said = str(error)
    assert all(isinstance(row, kind) for row in rows)
    assert said.startswith("held.jsonl:")


KEYS = (
    st.sampled_from(["p", "prev", "int", "seed", "weights", "t1", "\x1b"])
    | st.text(max_size=5)
    | st.integers()
    | st.none()
)
YAML_VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9) | st.dates() | st.binary(max_size=5)
    | st.sampled_from(["auto", "t1", "paper"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=3),
    max_leaves=8,
)  # fmt: skip


@given(YAML_VALUES, st.data())
def test_any_yaml_value_gives_params_or_lists_what_is_wrong(value: Any, data: st.DataObject) -> None:
    whole = dict(shipped())
    key = data.draw(st.sampled_from(sorted(whole)))
    section = whole[key]
    inner = data.draw(st.sampled_from(sorted(section))) if isinstance(section, dict) else None
    for raw in (value, whole | {key: value}, whole | ({key: section | {inner: value}} if inner else {key: [value]})):
        found, said = None, ""
        try:
            found = check_params(raw)
        except ParamsError as error:
            said = str(error)
        told = all(line.startswith("params.yaml: ") and line.isprintable() for line in said.split("\n"))
        assert isinstance(found, Params) or told


def test_parsing_is_the_same_for_any_author() -> None:
    text = "(1) one\n(Final response) So the answer is 1."
    assert msgspec.structs.replace(parse_attempt(text, "script"), author="m_theta") == attempt(text)
