"""An LLM as FBK and IMP: prompt, parse, and ask again, with the reason, where a reply cannot be used.

FBK is asked only where the answer is wrong; a right attempt gets the fixed "all correct" without a call. FBK sees the
reference answer, IMP never does. A reply that the filter would reject is asked for anew, `tries` times in all, and
then the row is dropped with that reason.
"""

import re
from collections.abc import Mapping

import msgspec

from tripost.chat.asking import Asking
from tripost.chat.request import Failure, Message, Request, Role
from tripost.experts import prompt_files
from tripost.experts.llm_replies import SCHEMA, Verdict, invisible, read_update, read_verdict
from tripost.flaws import reveals, update_flaw
from tripost.interfaces import CannotImprove, CannotJudge, Task
from tripost.params_llm import LlmParams
from tripost.parts import find_part
from tripost.records import Attempt, Feedback, Problem, Turn
from tripost.text import LEFTOVERS, reads_back, write_feedback

GRADED = "grader"
"""Whose words "all correct" are: nobody was asked, the answer was compared."""
FAILED = "expert_failed"
NO_USE = {"content_filter": "content_filter", "refusal": "refusal"}
"""Outcomes that asking again does not change."""
_OPTION = re.compile(r"\([A-Z]\)")
QUOTED = 4_000
"""Characters of a reply that the model is shown again."""
REPAIR = "This cannot be used: {why}. Reply again, in the same form and with nothing else."
WHY = {
    "malformed_attempt": "it is not numbered steps, going on after the kept ones, and then a line "
    "`(Final response) So the answer is ...`",
    "unchanged_update": "it is the attempt again, word for word",
    "lost_steps": "it changes steps that are to be kept",
    "kept_wrong_part": "the step that was called wrong still holds the wrong part",
    "leftovers": "special tokens or control characters stand in it",
    "reveals_answer": "the reason gives the reference answer away; say what is wrong without it",
    "length": "it was cut off; be brief",
    "empty": "it is empty",
}


class Llm:
    """The expert that `llms.<name>` describes, for one task. Without an asker it is not asked, and knows nothing."""

    def __init__(self, task: Task, name: str, params: LlmParams, asker: Asking | None) -> None:
        self.task, self.name, self.params, self.asker = task, name, params, asker
        self.author = f"llm:{params.model}"

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK."""
        if self.task.is_correct(problem, attempt):
            return write_feedback(attempt, None, "", "", GRADED)
        if self.asker is None:
            return CannotJudge("an LLM is not asked here")
        if leftover := LEFTOVERS.search(attempt.raw):  # the filter drops the row whatever comes: not worth a call
            return CannotJudge(f"{leftover[0]!r} stands in the attempt", "leftovers")
        flaw, why = "", ""
        messages = self._messages("feedback", feedback_case(problem, attempt))
        for sample in range(self.params.tries):
            said = self._ask("feedback", messages, sample)
            if isinstance(said, CannotJudge):
                return said
            (flaw, text), why = said, ""
            if not flaw:
                verdict = read_verdict(text, attempt)
                if isinstance(verdict, Verdict) and verdict.step is None:
                    return CannotJudge("it finds no wrong step, but the answer is not the reference answer")
                found = self._held(problem, attempt, verdict)
                if isinstance(found, Feedback):
                    return found
                flaw, why = found
            messages = _again(messages, text, why or WHY[flaw])
        return CannotJudge(why or WHY[flaw], flaw)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP."""
        if self.asker is None:
            return CannotImprove("an LLM is not asked here")
        if feedback.wrong_step is None:
            return CannotImprove("the feedback names no wrong step")
        turn = Turn(attempt=attempt, feedback=feedback, n_tokens=0)
        flaw, detail = "", ""
        messages = self._messages("improve", improve_case(problem, attempt, feedback))
        for sample in range(self.params.tries):
            said = self._ask("improve", messages, sample)
            if isinstance(said, CannotJudge):
                return CannotImprove(said.reason, flaw=said.flaw)
            (flaw, text), detail = said, ""
            if not flaw:
                update = read_update(text, attempt, feedback.wrong_step, self.author)
                found = update_flaw(turn, update, None)
                if found is None and (LEFTOVERS.search(update.raw) or invisible(update.raw)):
                    found = "leftovers", ""
                if found is None:
                    return update
                flaw, detail = found
            messages = _again(messages, text, WHY[flaw])
        return CannotImprove(detail or WHY[flaw], flaw=flaw)

    def _held(self, problem: Problem, attempt: Attempt, verdict: Verdict | str) -> Feedback | tuple[str, str]:
        """FBK's verdict as feedback; or a flaw and why."""
        if isinstance(verdict, str):
            return ("part_not_in_step" if verdict.startswith("the part") else "malformed_feedback"), verdict
        found = write_feedback(attempt, verdict.step, verdict.part, verdict.reason, self.author)
        if not reads_back(found, attempt):
            return "malformed_feedback", "the part cannot be quoted; take a shorter one"
        if reveals(problem, attempt, verdict.reason) or _says_it(problem, attempt, verdict.reason):
            return "reveals_answer", WHY["reveals_answer"]
        return found

    def _ask(self, role: Role, messages: tuple[Message, ...], sample: int) -> tuple[str, str] | CannotJudge:
        """A flaw ("" for none) and the reply's text; CannotJudge where no reply comes of it."""
        assert self.asker is not None
        request = Request(
            llm=self.name,
            task=self.task.name,
            purpose=role,
            model=self.params.model,
            messages=messages,
            temperature=getattr(self.params.temperature, role),
            max_tokens=getattr(self.params.max_tokens, role),
            schema=SCHEMA if role == "feedback" and self.params.structured else "",
            sample=sample,
        )
        found = self.asker.answer(request)
        if isinstance(found, Failure):
            flaw = found.outcome if found.outcome in NO_USE else FAILED
            return CannotJudge(f"{self.name}: {found.outcome}: {found.detail}", flaw)  # not how often: that is chance
        outcome = found.outcome
        if outcome in NO_USE:
            return CannotJudge(f"{self.name}: {outcome}: {(found.refusal or found.text)[:200]}", NO_USE[outcome])
        return ("" if outcome == "answered" else outcome), found.text

    def _messages(self, role: Role, case: dict[str, str]) -> tuple[Message, ...]:
        """The system message, the examples as turns, and the case."""
        prompt = prompt_files.load(self.params.prompts, self.task.name, role)
        as_json = role == "feedback" and self.params.structured
        found = [Message("system", prompt.system + (JSON_REPLY if as_json else ""))]
        for example in prompt.examples:
            reply = example["Reply"]
            found += [
                Message("user", told(example)),
                Message("assistant", _json_of(reply) if as_json else reply),
            ]
        return (*found, Message("user", told(case)))


def _says_it(problem: Problem, attempt: Attempt, reason: str) -> bool:
    """Whether a reason says the answer in other spelling, or which option is right, where the attempt does not.

    The question holds all options, so the filter's rule says nothing of them; but IMP would be told.
    """
    said = [problem.answer]
    known = f"{problem.question}\n{attempt.raw}"
    if _OPTION.fullmatch(problem.answer):
        lines = (line.strip() for line in problem.question.split("\n"))
        said += [line[len(problem.answer) :] for line in lines if line.startswith(problem.answer)]
        if find_part(problem.answer, reason) and not find_part(problem.answer, attempt.raw):
            return True
        said, known = said[1:], attempt.raw
    return any(_words(part) in _words(reason) and _words(part) not in _words(known) for part in said if _words(part))


def _words(text: str) -> str:
    """Its words and numbers alone, in small letters, each between blanks."""
    found = re.findall(r"\w+", text.casefold())
    return f" {' '.join(found)} " if found else ""


JSON_REPLY = (
    '\n\nInstead of the three lines, reply with a JSON object of strings: {"step": "", "part": "", "reason": ""}.'
)


def feedback_case(problem: Problem, attempt: Attempt) -> dict[str, str]:
    """What FBK is told."""
    return {"Question": problem.question, "Reference answer": problem.answer, "Attempt": attempt.raw}


def improve_case(problem: Problem, attempt: Attempt, feedback: Feedback) -> dict[str, str]:
    """What IMP is told: never the answer."""
    assert feedback.wrong_step is not None
    kept = [line for line in attempt.raw.split("\n") if line.strip()][: feedback.wrong_step - 1]
    return {
        "Question": problem.question,
        "Attempt": attempt.raw,
        "Feedback": feedback.text,
        "Kept steps": "\n".join(kept) or "none",
    }


def told(case: Mapping[str, str]) -> str:
    """The sections as one message, as they stand in a prompt file; the reply is left out."""
    return "\n\n".join(f"### {name}\n{text}" for name, text in case.items() if name != "Reply")


def _json_of(reply: str) -> str:
    """An example's three lines as the object that is asked for."""
    fields = {name: said.strip() for name, _, said in (line.partition(":") for line in reply.split("\n"))}
    return msgspec.json.encode(
        {name: fields.get(name.capitalize(), "") for name in ("step", "part", "reason")}
    ).decode()


def _again(messages: tuple[Message, ...], text: str, why: str) -> tuple[Message, ...]:
    """The chat, gone on: the reply that cannot be used, and why."""
    said = Message("assistant", text[:QUOTED] or "(nothing)")
    return (*messages, said, Message("user", REPAIR.format(why=why)))
