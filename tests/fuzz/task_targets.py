"""Targets: expressions, lines of word sorting, both scripted experts, and `edit` with all that follows it."""

from functools import partial

import msgspec

from tests.fakes import ARITHMETIC, DATES, DEDUCTION, WORDS
from tests.fuzz import written
from tests.fuzz.bytes_reader import BytesReader
from tripost import registry
from tripost.columns import flatten
from tripost.edit import edit
from tripost.filter import REASONS, flaw
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.layout import PAPER_LAYOUT
from tripost.params import EditParams
from tripost.parts import find_part
from tripost.records import Attempt, Dropped, Feedback, Problem, Trajectory
from tripost.tasks.multistep_arithmetic.expression import (
    MAX_CHARS,
    ExpressionError,
    Node,
    bind,
    difference,
    evaluate,
    innermost,
    parse,
    reduce_once,
    substitute,
    write,
)
from tripost.tasks.word_sorting.lines import (
    FIRST,
    HAVE,
    HENCE,
    SUBPART,
    UnreadableError,
    read_groups,
    read_letters,
    read_order,
    write_groups,
    write_order,
)
from tripost.text import parse_attempt, parse_feedback

NONE_OF = (
    "early_all_correct", "unreadable", "stale_fields", "missing_steps", "missing_parts", "lost_steps",
    "kept_wrong_lines", "leftovers",
)  # fmt: skip


def expressions(data: bytes) -> None:
    """Only ExpressionError; what was read can be written, and has one value however it is worked out."""
    reader = BytesReader(data)
    nodes: list[Node] = []
    for _ in range(2):
        text = written.expression(reader) if reader.flag() else reader.text(20)
        try:
            nodes.append(parse(text))
        except ExpressionError:
            continue
        assert len(text) <= MAX_CHARS
    for node in nodes:
        _worked_out(node)
    if len(nodes) == 2:
        bound: dict[str, Node] = {}
        if bind(nodes[0], nodes[1], bound):
            assert substitute(nodes[0], bound) == nodes[1]
        try:
            if evaluate(nodes[0]) != evaluate(nodes[1]):
                old, new = difference(nodes[0], nodes[1])
                assert evaluate(old) != evaluate(new)
        except ExpressionError:
            pass


def _worked_out(node: Node) -> None:
    try:
        assert parse(write(node)) == node
        value = evaluate(node)
    except ExpressionError:
        return
    for hard in (None, {innermost(node)}):
        left = node
        for _ in range(400):
            if isinstance(left, int):
                break
            left = reduce_once(left, hard)
        assert left == value
        assert parse(write(left)) == value


def lines(data: bytes) -> None:
    """Only UnreadableError, which quotes the end of the line; what was read is in the line as it was written."""
    reader = BytesReader(data)
    head = reader.choice((FIRST, SUBPART, HAVE, HENCE))
    valid = [line for x in written.known(WORDS) for line in (x.rationale or "").split("\n") if head in line]
    text = head + (reader.changed(reader.choice(valid).partition(head)[2]) if reader.flag() else reader.text())
    text = text.replace("\n", " ")
    try:
        if head in (FIRST, SUBPART):
            named, k, letters = read_letters(text)
            assert 1 <= k <= 20
            assert all(item.text in text and item.word in item.text for item in letters)
            assert named is None or all(f'"{word}"' in text for word in named)
        elif head == HAVE:
            groups = read_groups(text)
            again = read_groups(write_groups([(group.number, group.words) for group in groups]))
            assert [(g.number, g.words) for g in again] == [(g.number, g.words) for g in groups]
            assert all(group.text in text for group in groups)
        else:
            assert read_order(write_order(read_order(text))) == read_order(text)
    except UnreadableError as error:
        assert str(error)
        assert text.endswith(str(error))


def judged(x: Problem, y: Attempt) -> Feedback | None:
    """FBK's verdict, which quotes what stands there in words that can be read again; None where it cannot tell."""
    verdict = registry.script(x.task).feedback(x, y)
    if isinstance(verdict, CannotJudge):
        assert verdict.reason
        return None
    assert isinstance(verdict, Feedback)
    assert parse_feedback(verdict.text, y, verdict.author) == verdict
    if verdict.wrong_step is not None:
        assert find_part(verdict.wrong_part, y.line(verdict.wrong_step))
    return verdict


def experts(task: str, data: bytes) -> None:
    """FBK and IMP: a verdict that can be read, an update that FBK calls correct and that keeps the right steps."""
    reader = BytesReader(data)
    x = written.problem(reader, task)
    y = parse_attempt(written.attempt_text(reader, x), "m_theta")
    verdict = None if y.malformed else judged(x, y)
    said = verdict if verdict is not None and reader.number(4) else written.feedback(reader, y)
    improved = registry.script(task).improve(msgspec.structs.replace(x, answer="", rationale=None), y, said)
    if isinstance(improved, CannotImprove):
        assert improved.reason
        return
    assert said.wrong_step is not None
    assert not improved.malformed
    assert improved.steps[: said.wrong_step - 1] == y.steps[: said.wrong_step - 1]
    found = judged(x, improved)
    assert found is not None
    assert found.says_correct
    if x.rationale is not None:
        assert registry.task(task).is_correct(x, improved)


arithmetic = partial(experts, ARITHMETIC)
words = partial(experts, WORDS)
dates = partial(experts, DATES)
deduction = partial(experts, DEDUCTION)


def edits(data: bytes) -> None:
    """Whatever M_theta wrote: an edited trajectory within the bound of updates, or Dropped; what the filter then
    keeps has nothing that the gate would refuse."""
    reader = BytesReader(data)
    task = reader.choice((ARITHMETIC, WORDS, DATES, DEDUCTION))
    x = written.problem(reader, task)
    row = written.own_words(reader, x)
    params = EditParams(
        max_updates=1 + reader.number(5), check_reason=reader.flag(), probes=None, salvage=reader.flag()
    )
    found = edit(row, x, registry.task(task), registry.script(task), params)
    if isinstance(found, Dropped):
        assert found.trajectory == row
        return
    assert 1 <= len(found.turns) <= params.max_updates + 1
    last = found.turns[-1]
    assert last.feedback is not None
    if last.feedback.says_correct:
        assert registry.task(task).is_correct(x, last.attempt)
    kept(found, x)


def kept(row: Trajectory, x: Problem) -> None:
    """What the filter keeps passes every column of the gate."""
    found = flaw(row, x, registry.task(x.task), 10**6)
    columns = next(flatten([row], {x.id: x}, [], None, layout=PAPER_LAYOUT, sample=0, seed=1))
    if found is not None:
        assert found[0] in REASONS
        return
    assert {name: columns[name] for name in NONE_OF} == dict.fromkeys(NONE_OF, 0)
    assert columns["ends_all_correct"] is columns["must_end_all_correct"] is not row.salvaged
    assert columns["ends_found_wrong"] is row.salvaged
    assert columns["starts_wrong"] == columns["may_start_wrong"]
    assert columns["final_answer"] == columns["reference_answer"]
