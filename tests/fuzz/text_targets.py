"""Targets: attempts, feedbacks and quoted parts, each read by `tripost.text` and by the gate's own reader."""

from tests.fakes import ARITHMETIC, WORDS
from tests.fuzz import written
from tests.fuzz.bytes_reader import BytesReader
from tripost.layout import Layout
from tripost.parts import find_part
from tripost.reading import attempt_is_stale, feedback_is_stale, read, stands_in
from tripost.records import Attempt, Feedback, Turn
from tripost.text import (
    MAX_CHARS,
    MAX_STEPS,
    has_marker,
    parse_attempt,
    parse_feedback,
    read_written_feedback,
    walk,
    write_attempt,
)


def attempts(data: bytes) -> None:
    """Any text is an attempt that reads again as itself, or a malformed one that keeps its words."""
    reader = BytesReader(data)
    x = reader.choice(written.known(reader.choice((ARITHMETIC, WORDS))))
    check_attempt(written.attempt_text(reader, x))


def check_attempt(raw: str) -> None:
    """What holds for every attempt."""
    y = parse_attempt(raw, "m_theta")
    assert parse_attempt(y.raw, "m_theta") == y or len(raw.strip()) > MAX_CHARS
    if y.malformed:
        assert (y.steps, y.final_text) == ((), "")
        assert raw.strip().startswith(y.raw)
        assert len(y.raw) <= MAX_CHARS
        return
    assert y.raw == raw.strip()
    assert len(y.steps) < MAX_STEPS
    assert not has_marker(y.raw)
    assert y.final
    written_anew = write_attempt(y.steps, y.final_text, "m_theta")
    # "(Final response)" in place of a number, or a blank behind a label, makes it longer.
    assert written_anew.malformed or (written_anew.steps, written_anew.final_text) == (y.steps, y.final_text)
    assert not written_anew.malformed or len(y.raw) > MAX_CHARS - 20 - len(y.steps)
    both_read(y, None)


def both_read(y: Attempt, said: Feedback | None) -> None:
    """The gate's reader finds in the texts what the fields say."""
    reading = read(Turn(attempt=y, feedback=said, n_tokens=1))
    assert not y.malformed
    assert not attempt_is_stale(reading)
    if said is not None:
        assert (reading.verdict is None or reading.verdict.step == 0) == said.malformed
        assert not feedback_is_stale(reading)


def feedbacks(data: bytes) -> None:
    """Any text is a feedback on a line of the attempt that reads again as itself, or a malformed one."""
    reader = BytesReader(data)
    x = reader.choice(written.known(reader.choice((ARITHMETIC, WORDS))))
    y = parse_attempt(written.attempt_text(reader, x), "m_theta")
    text = reader.raw().decode("utf-8", "replace") if reader.flag() else written.feedback_text(reader, y)
    said = parse_feedback(text, y, "m_theta")
    assert parse_feedback(said.text, y, "m_theta") == said or len(text.strip()) > MAX_CHARS
    assert text.strip().startswith(said.text)
    assert len(said.text) <= MAX_CHARS
    assert said.malformed + said.says_correct + (said.wrong_step is not None) == 1
    if said.wrong_step is not None:
        assert 1 <= said.wrong_step <= len(y.steps) + 1
        assert said.wrong_part
        assert said.reason
    if not y.malformed and len(text.strip()) <= MAX_CHARS:
        both_read(y, said)
    check_walk(text, y, said)


WALK = Layout(feedback="walk")


def check_walk(text: str, y: Attempt, said: Feedback) -> None:
    """A walk and its verdict are read as the verdict; any other text as one that says of the steps what it walks."""
    walked = walk(y, said) + said.text
    if not said.malformed and len(walked) <= MAX_CHARS:  # a malformed one may be a walk with a verdict behind it
        assert read_written_feedback(walked, y, "m_theta", WALK) == said
    found = read_written_feedback(text, y, "m_theta", WALK)
    assert found.malformed or walk(y, found) + found.text == text.strip()


def parts(data: bytes) -> None:
    """Both readers agree where a part stands, and so does the definition, where that can be afforded."""
    reader = BytesReader(data)
    line = reader.text()
    start = reader.number(min(len(line), 65_535) + 1)
    part = line[start : start + reader.number(40_000)] if reader.flag() else reader.text(6)
    found = find_part(part, line)
    if part and "\n" not in line + part:
        assert stands_in(part, line) == (found is not None)
    if found is not None:
        assert line[found[0] : found[1]] == part
    if len(line) <= 300:
        assert found == by_definition(part, line)


def by_definition(part: str, line: str) -> tuple[int, int] | None:
    """The first place where the part stands and both of its ends are ends of a word or number."""

    def inside(k: int) -> bool:
        return 0 < k < len(line) and line[k - 1].isalnum() and line[k].isalnum()

    ends = ((k, k + len(part)) for k in range(len(line)) if part and line.startswith(part, k))
    return next(((k, end) for k, end in ends if not inside(k) and not inside(end)), None)
