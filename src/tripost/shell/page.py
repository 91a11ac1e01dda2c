"""The gate's result as one HTML page: no scripts, nothing from elsewhere, every text of the model escaped."""

from collections.abc import Iterable, Mapping, Sequence
from importlib.resources import files
from pathlib import Path

import msgspec

from tripost.records import Problem, Trajectory, Turn
from tripost.shell.expectations import Finding, GateResult
from tripost.shell.io import write_text


class Line(msgspec.Struct, frozen=True):
    """A line of an attempt, cut around the part that the feedback calls wrong."""

    before: str
    part: str
    after: str
    wrong: bool
    new: bool


class Said(msgspec.Struct, frozen=True):
    """A turn as it is shown."""

    attempt_author: str
    lines: tuple[Line, ...]
    feedback: str
    feedback_author: str
    right: bool
    n_tokens: int


class Shown(msgspec.Struct, frozen=True):
    """A trajectory as it is shown. `anchor` is set where it is shown first, else it is only linked to."""

    anchor: str
    id: str
    task: str
    question: str
    answer: str
    final: str
    turns: tuple[Said, ...]
    again: bool


class Part(msgspec.Struct, frozen=True):
    """A heading with trajectories below it; `finding` is None for a look at data without faults."""

    title: str
    finding: Finding | None
    rows: tuple[Shown, ...]


def write_page(
    path: Path,
    title: str,
    result: GateResult,
    trajectories: Sequence[Trajectory],
    problems: Mapping[str, Problem],
) -> None:
    """Write the page: the verdict, all checks, and the trajectories that fail one (or some that do not)."""
    from jinja2 import Environment, StrictUndefined

    failed = sorted((f for f in result.findings if not f.success), key=lambda f: f.severity)  # critical first
    wanted = {identity for finding in failed for identity in finding.ids}
    rows: dict[str, Trajectory] = {}
    for row in trajectories:
        if row.id in wanted:
            rows.setdefault(row.id, row)
    anchors: dict[str, str] = {}
    parts = [Part(f.name, f, tuple(_show(rows[i], problems, anchors) for i in f.ids if i in rows)) for f in failed]
    if not any(part.rows for part in parts):
        parts += [
            Part(task, None, tuple(_show(row, problems, anchors) for row in _examples(trajectories, task)))
            for task in dict.fromkeys(count.task for count in result.tasks)
        ]
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True, finalize=_visible
    )
    template = environment.from_string((files("tripost.shell") / "page.html").read_text(encoding="utf-8"))
    write_text(
        path,
        template.render(
            title=title,
            result=result,
            checks=[*failed, *(finding for finding in result.findings if finding.success)],
            parts=parts,
            anchors=anchors,
            critical=sum(f.severity == "critical" for f in failed),
            warnings=sum(f.severity == "warning" for f in failed),
        ),
    )


def _visible(value: object) -> object:
    """Text with control characters and the like as escapes: a page cannot show them, a reader should see them."""
    if not isinstance(value, str):
        return value
    return "".join(c if c.isprintable() or c == "\n" else f"\\u{ord(c):04x}" for c in value)


def _examples(trajectories: Iterable[Trajectory], task: str) -> list[Trajectory]:
    """The first trajectory of a task that improves, and the first that was right at once."""
    found: dict[bool, Trajectory] = {}
    for row in trajectories:
        if row.task == task:
            found.setdefault(row.improves, row)
        if len(found) == 2:
            break
    return [found[improves] for improves in (True, False) if improves in found]


def _show(row: Trajectory, problems: Mapping[str, Problem], anchors: dict[str, str]) -> Shown:
    again = row.id in anchors
    anchor = anchors.setdefault(row.id, f"row-{len(anchors) + 1}")
    problem = problems.get(row.problem_id)
    before: list[Turn | None] = [None, *row.turns]
    return Shown(
        anchor=anchor,
        id=row.id,
        task=row.task,
        question=problem.question if problem else "(no problem has this id)",
        answer=problem.answer if problem else "(unknown)",
        final=(row.turns[-1].attempt.final or "(none)") if row.turns else "(none)",
        turns=tuple(_said(turn, last) for turn, last in zip(row.turns, before, strict=False)),
        again=again,
    )


def _said(turn: Turn, before: Turn | None) -> Said:
    feedback = turn.feedback
    old = set(before.attempt.raw.split("\n")) if before else None
    lines = []
    for number, text in enumerate(turn.attempt.raw.split("\n"), start=1):
        wrong = feedback is not None and feedback.wrong_step == number
        start = text.find(feedback.wrong_part) if feedback and wrong else -1
        end = start + len(feedback.wrong_part) if feedback and start >= 0 else 0
        lines.append(
            Line(
                before=text[: max(start, 0)],
                part=text[max(start, 0) : end],
                after=text[end:],
                wrong=wrong,
                new=old is not None and text not in old,
            )
        )
    return Said(
        attempt_author=turn.attempt.author,
        lines=tuple(lines),
        feedback=feedback.text if feedback else "(no feedback)",
        feedback_author=feedback.author if feedback else "",
        right=feedback is not None and feedback.says_correct,
        n_tokens=turn.n_tokens,
    )
