"""The scripted FBK and IMP of logical deduction.

FBK checks what each line claims against the clues by exhaustion: a sentence must be said by a clue, an ordering must
follow from the steps it cites. Any order of work that makes only true claims is right.
"""

import re

from tripost.errors import DataError
from tripost.experts.script import Wrong, improve_by, judge_steps
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.tasks.logical_deduction.arrangements import follows, row
from tripost.tasks.logical_deduction.clues import compares_with_itself, read_claim
from tripost.tasks.logical_deduction.derive import Notes, derive
from tripost.tasks.logical_deduction.lines import (
    AccordingLine,
    ClueLine,
    CombiningLine,
    CountLine,
    read_line,
    read_number,
)
from tripost.tasks.logical_deduction.names import read_list
from tripost.tasks.logical_deduction.patterns import NotAPattern, NotReadable, Pattern, outermost, read_pattern
from tripost.tasks.logical_deduction.question import Question, read_question
from tripost.tasks.logical_deduction.reasons import why_not
from tripost.tasks.options import read_letter

_ANSWER = re.compile(r"so the answer is", re.IGNORECASE)


class DeductionScript:
    """Expert for logical deduction."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK. The first claim that does not hold; CannotJudge for a step that is none of the known forms."""
        try:
            checker = _Checker(read_question(problem.question))
        except DataError as error:
            return CannotJudge(f"question: {error}")
        return judge_steps(checker, attempt)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP. Keeps the steps before the wrong one and derives the rest; gives nothing that FBK would not accept."""
        return improve_by(
            lambda question, kept: derive(read_question(question), kept), self, problem, attempt, feedback
        )


class _Checker:
    """Reads an attempt line by line, with notes of what its right steps have established."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.notes = Notes(question)

    def step(self, step: Step) -> Wrong | CannotJudge | None:
        """What is wrong with a step; notes what it establishes where nothing is."""
        line = read_line(step.text)
        if isinstance(line, ClueLine):
            return self._clue(step.label, line)
        if isinstance(line, CombiningLine):
            return self._combining(step.label, line)
        if isinstance(line, CountLine):
            return self._count(step.label, line)
        if isinstance(line, AccordingLine):
            return self._according(step.label, line)
        return (line.text, "the quote does not end") if line else CannotJudge("none of the known forms")

    def _clue(self, label: str, line: ClueLine) -> Wrong | CannotJudge | None:
        claim = read_claim(self.question.theme, self.question.known, line.sentence)
        # With its colon: "Rob finished second" also begins the sentence "Rob finished second-to-last".
        sentence = f"{line.sentence}:"
        if claim is None:
            if compares_with_itself(self.question.theme, self.question.known, line.sentence):
                return sentence, "nothing stands beside itself"
            stranger = self.question.stranger(line.sentence)
            return (sentence, self._none_of(stranger)) if stranger else CannotJudge("a sentence that cannot be read")
        said = self.question.fits(claim.tokens)
        if not any(follows(self.question.fits(clue.tokens), said) for _, clue in self.question.clues):
            return sentence, "the question does not say so"
        pattern = self._ordering(line.pattern, said, f'{sentence} "{line.pattern}"', ("the sentence",))
        if not isinstance(pattern, Pattern):
            return pattern
        self.notes.establish(label, claim.tokens, pattern.ends)
        return None

    def _combining(self, label: str, line: CombiningLine) -> Wrong | CannotJudge | None:
        left = row(self.question.size).full
        for cited in line.labels:
            if cited in self.notes.known:
                left &= self.notes.known[cited].left
            elif cited in self.notes.others:
                return f"({cited})", f"step ({cited}) is no ordering"
            elif cited not in self.notes.counts:
                return f"({cited})", f"there is no earlier step ({cited})"
        pattern = self._ordering(line.pattern, left, line.text, tuple(f"({cited})" for cited in line.labels))
        if not isinstance(pattern, Pattern):
            return pattern
        self.notes.establish(label, pattern.tokens, pattern.ends)
        return None

    def _ordering(self, text: str, known: int, whole: str, by: tuple[str, ...]) -> Wrong | CannotJudge | Pattern:
        """The quoted ordering, if it follows from what is `known` `by` these. Where it would from all the clues, but
        not from these, the `whole` line is the wrong part: a right one may well have half of it."""
        pattern = read_pattern(self.question, text)
        if isinstance(pattern, NotReadable):
            return CannotJudge(pattern.reason)
        if isinstance(pattern, NotAPattern):
            return f'"{text}"', pattern.reason
        fits = self.question.fits(pattern.tokens)
        if follows(known, fits):
            return pattern
        part = whole if follows(self.question.left, fits) else f'"{text}"'
        return part, why_not(self.question, known, pattern, by)

    def _none_of(self, name: str) -> str:
        return f'"{name}" is none of the {self.question.theme.plural}'

    def _count(self, label: str, line: CountLine) -> Wrong | None:
        question = self.question
        if read_number(line.number) != question.size or line.plural not in (question.theme.plural, "objects"):
            return line.text, f"the question has {question.many}"
        found: set[int] = set()
        for name in read_list(line.listed, question.size + 1):
            thing = question.known.numbers.get(name.casefold())
            if thing is None:
                return line.text, self._none_of(name)
            if thing in found:
                return line.text, f'"{name}" stands there twice'
            found.add(thing)
        missing = [name for k, name in enumerate(question.names) if k not in found]
        if missing:
            return line.text, f'"{missing[0]}" is missing'
        self.notes.add_count(label)
        return None

    def _according(self, label: str, line: AccordingLine) -> Wrong | CannotJudge | None:
        claim = read_claim(self.question.theme, self.question.known, line.claim)
        if claim is None:
            stranger = self.question.stranger(line.claim)
            reason = "what is said of the ordering cannot be read"
            return (line.text, self._none_of(stranger)) if stranger else CannotJudge(reason)
        if self.notes.last is None:
            return line.text, "there is no ordering before it"
        left, said = self.notes.last.left, self.question.fits(claim.tokens)
        if line.remark:
            said &= self.question.fits(
                outermost(self.question, self.notes.ends, claim.subject, at_top=line.remark == "top")
            )
        if follows(left, said):
            self.notes.conclude(label)
            return None
        return line.text, f"step ({self.notes.last.label}) {'does not say so' if left & said else 'says otherwise'}"

    def final(self, attempt: Attempt) -> Wrong | CannotJudge | None:
        """What is wrong with the final response."""
        question, letter = self.question, read_letter(attempt.final)
        answers = list(_ANSWER.finditer(attempt.final_text))
        sentence = attempt.final_text[: answers[0].start()].strip() if answers else ""
        claim = read_claim(question.theme, question.known, sentence) if sentence else None
        if len(answers) != 1 or (sentence and claim is None and not question.stranger(sentence)):
            return CannotJudge("the final response says what cannot be read")
        if letter is None or letter not in question.options:
            return attempt.final_text, "that is none of the letters of the options"
        answer = question.fits(question.claims[letter].tokens)
        if letter != question.right:
            return attempt.final_text, self._why_letter(letter, answer)
        if sentence and (claim is None or question.fits(claim.tokens) != answer):
            return attempt.final_text[: answers[0].end()], f"({letter}) says something else"
        if not self.notes.leads_to(answer):
            return CannotJudge("the answer is right, but no step leads to it")
        return None

    def _why_letter(self, letter: str, said: int) -> str:
        against = [known.label for known in self.notes.known.values() if not known.left & said]
        return f"step ({against[-1]}) speaks against ({letter})" if against else f"no step leads to ({letter})"
