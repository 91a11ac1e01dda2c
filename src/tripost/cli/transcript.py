"""A trajectory for people: what was written, by whom, what was found wrong in it, and what the update changed."""

import difflib
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from rich.console import Console
from rich.text import Text

from tripost.cli.screen import clean, colours, more, shorten
from tripost.parts import find_part
from tripost.records import Attempt, Feedback, Trajectory, Turn

MAX_ATTEMPT = 6_000
MAX_TEXT = 2_000
MAX_LABEL = 40
MIN_LINE = 20
"""A line counts as at least so many characters, so that a million empty ones are cut, too."""
GUTTER = 12
HANG = 4


class Line(NamedTuple):
    """A line of an attempt: its label (`(3)`, or nothing where the attempt cannot be read) and its text."""

    label: str
    text: str


def print_transcript(
    out: Console, trajectory: Trajectory, question: str, answer: str, judged: Sequence[str] = ()
) -> None:
    """The question and all turns. `judged[i]` is what others say of attempt i."""
    asked = [Text(line) for line in shorten(question.strip(), MAX_TEXT).split("\n")]
    _block(out, ["question"], [*asked, Text(f"reference answer: {shorten(answer, MAX_TEXT)}", style="dim")])
    before: list[Line] | None = None
    for i, turn in enumerate(trajectory.turns):
        lines = attempt_lines(turn.attempt)
        coloured = colours(out)
        out.print()
        shown = _attempt(lines, turn, coloured) if before is None else _update(lines, before, turn, coloured)
        _block(out, [f"update {i}" if i else "attempt", turn.attempt.author], shown)
        if i < len(judged):
            _block(out, ["judged"], [Text(judged[i], style="dim")])
        if turn.feedback is not None:
            _block(out, ["feedback", turn.feedback.author], [_feedback(turn.feedback, turn.attempt)])
        before = lines


def _block(out: Console, names: Sequence[str], body: Sequence[Text]) -> None:
    """The names in a gutter on the left, one below the other; the body beside them, long lines hanging."""
    lines: list[Text] = []
    for text in body:
        wrapped = text.wrap(out, max(20, out.width - GUTTER - HANG), overflow="fold")
        lines += [Text.assemble(" " * HANG, line) if k else line for k, line in enumerate(wrapped)]
    left = [Text(shorten(name, MAX_LABEL), style="dim" if k else "bold") for k, name in enumerate(names)]
    for k in range(max(len(left), len(lines))):
        name = left[k] if k < len(left) else Text()
        line = lines[k] if k < len(lines) else Text()
        if name.cell_len >= GUTTER:  # a long author gets a line to itself
            out.print(name, soft_wrap=True)
            name = Text()
        row = Text.assemble(name, " " * (GUTTER - name.cell_len), line)
        row.rstrip()
        out.print(row, soft_wrap=True)


def attempt_lines(attempt: Attempt) -> list[Line]:
    """The attempt's lines, together at most MAX_ATTEMPT characters; the last says how many there are more."""
    beyond = 0
    if attempt.malformed:
        whole = [Line("", text) for text in attempt.raw[:MAX_ATTEMPT].split("\n")]
        beyond = max(0, len(attempt.raw) - MAX_ATTEMPT)
    else:
        whole = [Line(f"({step.label[:MAX_LABEL]})", step.text) for step in attempt.steps]
        whole.append(Line("(Final response)", attempt.final_text))
    room = MAX_ATTEMPT
    for number, line in enumerate(whole):
        size = max(MIN_LINE, len(line.label) + len(line.text))
        if size > room:
            beyond += len(line.text[room:]) + sum(len(other.text) + 1 for other in whole[number + 1 :])
            whole[number:] = [Line(line.label, line.text[:room])]
            break
        room -= size
    if beyond:
        whole[-1] = Line(whole[-1].label, whole[-1].text + more(beyond))
    return whole


def _attempt(lines: Sequence[Line], turn: Turn, coloured: bool) -> list[Text]:
    """The first attempt, with the wrong part marked."""
    if turn.attempt.malformed:
        return [_unreadable(), *(_written("| ", line, "", "", coloured) for line in lines)]
    return [_written("", line, _wrong_part(turn, k), "", coloured) for k, line in enumerate(lines)]


def _update(lines: Sequence[Line], before: Sequence[Line], turn: Turn, coloured: bool) -> list[Text]:
    """An update as a diff against the attempt before it: what was kept is named, unless it is found wrong."""
    shown = [_unreadable()] if turn.attempt.malformed else []
    matcher = difflib.SequenceMatcher(None, before, lines, autojunk=False)
    for kind, a, b, c, d in matcher.get_opcodes():
        if kind == "equal":
            shown += _kept(lines, c, d, turn, coloured)
            continue
        shown += [_written("- ", line, "", "red", coloured) for line in before[a:b]]
        shown += [_written("+ ", lines[k], _wrong_part(turn, k), "green", coloured) for k in range(c, d)]
    return shown


def _kept(lines: Sequence[Line], start: int, end: int, turn: Turn, coloured: bool) -> Iterator[Text]:
    """`(1) - (3) kept`; the wrong line in full."""
    wrong = next((k for k in range(start, end) if _wrong_part(turn, k)), None)
    runs = [(start, end)] if wrong is None else [(start, wrong), (wrong + 1, end)]
    for first, last in runs:
        if wrong is not None and first == wrong + 1:
            yield _written("  ", lines[wrong], _wrong_part(turn, wrong), "", coloured)
        if first < last:
            names = [shorten(line.label or line.text, MAX_LABEL) for line in lines[first:last]]
            span = names[0] if len(names) == 1 else f"{names[0]} - {names[-1]}"
            yield Text(f"  {span} kept", style="dim italic")


def _wrong_part(turn: Turn, number: int) -> str:
    """The part of line `number` (from 0) that the turn's feedback calls wrong; empty for every other line."""
    feedback = turn.feedback
    return feedback.wrong_part if feedback is not None and feedback.wrong_step == number + 1 else ""


def _written(sign: str, line: Line, part: str, style: str, coloured: bool) -> Text:
    """A line; `part` reversed in red, or between >> and << where colours cannot be seen."""
    label = f"{sign}{clean(line.label)}{' ' if line.label else ''}"
    found = find_part(part, line.text)
    if found is None:
        return Text(label + clean(line.text), style=style)
    start, end = found
    wrong = clean(line.text[start:end])
    return Text.assemble(
        label + clean(line.text[:start]),
        (wrong, "reverse red") if coloured else f">>{wrong}<<",
        clean(line.text[end:]),
        style=style,
    )


def _unreadable() -> Text:
    return Text("cannot be read as numbered steps and a final response:", style="yellow")


def _feedback(feedback: Feedback, attempt: Attempt) -> Text:
    text = shorten(feedback.text, MAX_TEXT)
    if feedback.malformed:
        return Text.assemble(("cannot be read: ", "yellow"), text)
    if feedback.wrong_step is None:
        return Text(text, style="green")
    step = feedback.wrong_step
    if 1 <= step <= len(attempt.steps) + 1 and find_part(feedback.wrong_part, attempt.line(step)):
        return Text(text)
    return Text.assemble(text, ("  (the part it quotes does not stand there)", "yellow"))
