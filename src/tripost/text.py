"""Trajectory <-> text: attempts and feedback, written and read, and the words between them.

One layout serves rollout, evaluation and training, so that M_theta is trained on the bytes it will be asked with:

    Q: {x}
    Answer: Let's think step by step.
    {y_i}
    Feedback: {f_i}
    Updated Answer:
    {y_i+1}

Parsing never raises: text that does not fit is *malformed* (`Attempt.final is None`, `Feedback.malformed`).
All patterns are linear and all sizes bounded, since most of what comes here was written by a model.
"""

import re
from collections.abc import Sequence

from tripost.layout import Layout
from tripost.records import Attempt, Feedback, Step

QUESTION = "Q: "
ANSWER = "\nAnswer: Let's think step by step.\n"
FEEDBACK = "\nFeedback:"
UPDATE = "\nUpdated Answer:\n"
MARKERS = ("Feedback:", "Updated Answer:", "Q:", "Answer:")
"""A line of an attempt, a feedback or a question that starts so would be taken for the next segment."""
ATTEMPT_STOPS = ("\nFeedback:", "\nUpdated Answer:", "\nQ:", "\nAnswer:")
FEEDBACK_STOPS = ("\n",)
ALL_CORRECT = "All steps and the final response are correct."

MAX_CHARS = 20_000
MAX_STEPS = 300
_STEP = re.compile(r"[ \t]*\(([0-9]{1,3}(?:\.[0-9]{1,3}){0,7})\)[ \t]*(\S.*)")
_FINAL = re.compile(r"[ \t]*\(Final (?:response|answer)\)[ \t]*(\S.*)", re.IGNORECASE)
_ANSWER = re.compile(r"so the answer is:?[ \t]*", re.IGNORECASE)
_WRONG = re.compile(r'In (?:step \(([0-9.]{1,40})\)|\(Final response\)) the part "')
LEFTOVERS = re.compile(
    r"<\|[^|\n]{0,40}\|>|</?s>|<(?:pad|eos|bos|unk)>|\ufffd"
    r"|[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]",
    re.IGNORECASE,
)
"""Special tokens of usual tokenizers, undecodable bytes, control and direction characters."""
_WALK = re.compile(r"\A(?:Step \([0-9.]{1,40}\) is correct\. ){0,300}")
_BECAUSE = '" is incorrect. This is because '


def has_marker(text: str) -> bool:
    """Whether a line of `text` starts with one of the layout's markers."""
    return any(line.lstrip().startswith(MARKERS) for line in text.splitlines())


def parse_attempt(raw: str, author: str) -> Attempt:
    """Read numbered steps and a final response (labels strictly increasing, the final response last)."""
    raw = raw.strip()
    malformed = unreadable_attempt(raw, author)
    if len(raw) > MAX_CHARS or has_marker(raw):
        return malformed
    lines = raw.split("\n")
    if len(lines) > MAX_STEPS:
        return malformed
    steps: list[Step] = []
    for line in lines[:-1]:
        match = _STEP.fullmatch(line)
        if match is None or (steps and label_key(match[1]) <= label_key(steps[-1].label)):
            return malformed
        steps.append(Step(label=match[1], text=match[2].rstrip()))
    last = _FINAL.fullmatch(lines[-1]) or _STEP.fullmatch(lines[-1])
    if last is None:
        return malformed
    if last.re is _STEP and steps and label_key(last[1]) <= label_key(steps[-1].label):
        return malformed
    final_text = last[last.re.groups].rstrip()
    final = final_answer(final_text)
    if not final:
        return malformed
    return Attempt(steps=tuple(steps), final=final, final_text=final_text, raw=raw, author=author)


def unreadable_attempt(raw: str, author: str) -> Attempt:
    """Text that counts as no attempt, also where a limit cut it off in the middle of something readable."""
    return Attempt(steps=(), final=None, final_text="", raw=raw.strip()[:MAX_CHARS], author=author)


def label_key(label: str) -> tuple[int, ...]:
    """`3.10` -> (3, 10): labels are ordered as numbers, part by part."""
    return tuple(int(part) for part in label.split("."))


def final_answer(final_text: str) -> str | None:
    """What stands behind the last "So the answer is" of a final response, without its full stop."""
    matches = list(_ANSWER.finditer(final_text))
    return final_text[matches[-1].end() :].strip().removesuffix(".").strip() or None if matches else None


def says_only_the_answer(final_text: str) -> bool:
    """Whether a final response is "So the answer is ..." and nothing else that somebody would have to check."""
    return _ANSWER.match(final_text) is not None and len(_ANSWER.findall(final_text)) == 1


def write_attempt(steps: Sequence[Step], final_text: str, author: str) -> Attempt:
    """The attempt with these steps and this final response; the inverse of `parse_attempt`."""
    lines = [f"({step.label}) {step.text}" for step in steps]
    return parse_attempt("\n".join([*lines, f"(Final response) {final_text}"]), author)


def write_feedback(attempt: Attempt, wrong_step: int | None, part: str, reason: str, author: str) -> Feedback:
    """Feedback in the layout's words. `reason` carries no full stop."""
    if wrong_step is None:
        return Feedback(text=ALL_CORRECT, wrong_step=None, wrong_part="", reason="", author=author)
    inside = wrong_step <= len(attempt.steps)
    where = f"step ({attempt.steps[wrong_step - 1].label})" if inside else "(Final response)"
    text = f'In {where} the part "{part}{_BECAUSE}{reason}.'
    return Feedback(text=text, wrong_step=wrong_step, wrong_part=part, reason=reason, author=author)


def parse_feedback(text: str, attempt: Attempt, author: str) -> Feedback:
    """Read feedback on `attempt`. A step that the attempt does not have makes it malformed; a part that does
    not stand in the step does not (that is for the edit stage to contradict)."""
    text = text.strip()
    malformed = unreadable_feedback(text, author)
    if len(text) > MAX_CHARS:
        return malformed
    if text == ALL_CORRECT:
        return Feedback(text=text, wrong_step=None, wrong_part="", reason="", author=author)
    head = _WRONG.match(text)
    part, because, reason = text[head.end() :].partition(_BECAUSE) if head else ("", "", "")
    if head is None or not because or not part or "\n" in text:
        return malformed
    if head[1] is None:
        wrong_step = len(attempt.steps) + 1
    else:
        labels = [step.label for step in attempt.steps]
        if head[1] not in labels:
            return malformed
        wrong_step = labels.index(head[1]) + 1
    reason = reason.removesuffix(".")
    if not reason:
        return malformed
    return Feedback(text=text, wrong_step=wrong_step, wrong_part=part, reason=reason, author=author)


def unreadable_feedback(text: str, author: str) -> Feedback:
    """Text that says nothing about the attempt."""
    text = text.strip()[:MAX_CHARS]
    return Feedback(text=text, wrong_step=None, wrong_part="", reason="", author=author, malformed=True)


def reads_back(feedback: Feedback, attempt: Attempt) -> bool:
    """Whether its text says what its fields say; not so where a part holds the words that end a part."""
    return parse_feedback(feedback.text, attempt, feedback.author) == feedback


def walk(attempt: Attempt, feedback: Feedback) -> str:
    """`Step (1) is correct. Step (2) is correct. `: the steps before the wrong one, or all of them."""
    if feedback.malformed:
        return ""
    count = len(attempt.steps) if feedback.wrong_step is None else feedback.wrong_step - 1
    return "".join(f"Step ({step.label}) is correct. " for step in attempt.steps[:count])


def read_written_feedback(said: str, attempt: Attempt, author: str, layout: Layout) -> Feedback:
    """What M_theta wrote as f_i. A walk is checked against the verdict behind it and left out of the record, which
    holds the verdict alone; where the two disagree, the feedback is malformed."""
    said = said.strip()
    if layout.feedback == "verdict" or len(said) > MAX_CHARS:
        return parse_feedback(said, attempt, author)
    feedback = parse_feedback(_WALK.sub("", said, count=1), attempt, author)
    if said == walk(attempt, feedback) + feedback.text:
        return feedback
    return unreadable_feedback(said, author)
