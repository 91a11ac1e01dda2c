"""The published way to find a date step by step, from the start or from any prefix of right steps."""

from collections.abc import Sequence

from tripost.errors import DataError
from tripost.records import Step
from tripost.tasks.date_understanding.claims import Claim, read_step
from tripost.tasks.date_understanding.days import Span, slashed, spelled
from tripost.tasks.date_understanding.events import TODAY
from tripost.tasks.date_understanding.question import Question, read_question, told_briefly
from tripost.text import label_key


def derive(text: str, prefix: Sequence[Step] = ()) -> tuple[list[Step], str]:
    """All steps (those of `prefix`, which must be right, then new ones) and the final response.

    Raises DataError where the question is beyond us, or no option is its answer.
    """
    question = read_question(text)
    letter = next((letter for letter, day in question.options.items() if day == question.answer), None)
    if letter is None:
        raise DataError("no option is the answer")
    steps = list(prefix)
    claimed = [claim for step in prefix for claim in read_step(step.text).claims]
    found = {_about(claim) for claim in claimed}
    asked = (TODAY, question.asked)
    missing = [fact for fact in question.facts if (fact.of, Span()) not in found]
    if not (claimed and claimed[-1].written.day == question.answer and asked in found):
        for fact in missing:
            if (fact.of, Span()) != asked:
                of = "today's date" if fact.of == TODAY else f"the date of the {fact.of}"
                _append(steps, f"If {fact.told}, then {of} is {spelled(fact.day)}.")
        _append(steps, _last(question, first=not steps))
    return steps, f"So the answer is ({letter})."


def _last(question: Question, *, first: bool) -> str:
    """The step that finds the day that is asked for; on its own it says from what."""
    told = (
        next((fact.told for fact in question.facts if fact.of == TODAY), None) if question.asked == Span() else None
    )
    if told is None and first:
        told = told_briefly(question.sentences)
    date = f"the date {question.asked_text} is {spelled(question.answer)}, that is {slashed(question.answer)}."
    return f"If {told}, then {date}" if told is not None else f"T{date[1:]}"


def _about(claim: Claim) -> tuple[str, Span]:
    return claim.of, claim.span


def _append(steps: list[Step], text: str) -> None:
    number = label_key(steps[-1].label)[0] + 1 if steps else 1
    steps.append(Step(label=str(number), text=text))
