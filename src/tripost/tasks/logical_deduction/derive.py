"""The published way to solve a question step by step, from the start or from any prefix of right steps: what the
clues say, how many objects there are, and conclusions from two or more earlier orderings until one is left."""

from collections.abc import Sequence

from tripost.records import Step
from tripost.tasks.logical_deduction.arrangements import (
    Tokens,
    follows,
    holds_beside_others,
)
from tripost.tasks.logical_deduction.clues import read_claim
from tripost.tasks.logical_deduction.lines import (
    AccordingLine,
    ClueLine,
    CombiningLine,
    CountLine,
    read_line,
    write_according,
    write_clue,
    write_combining,
    write_count,
)
from tripost.tasks.logical_deduction.patterns import Pattern, own_ends, read_pattern
from tripost.tasks.logical_deduction.plan import Known, conclusions
from tripost.tasks.logical_deduction.question import Question
from tripost.text import label_key


class Notes:
    """What the steps so far have established. They are taken as right: to check them is FBK's matter."""

    def __init__(self, question: Question) -> None:
        self.question = question
        self.known: dict[str, Known] = {}
        self.counts: list[str] = []
        self.others: set[str] = set()
        self.last: Known | None = None
        self.ends = own_ends(question.theme)
        self.concluded = False

    def read(self, label: str, text: str) -> None:
        """Take a step in that is right."""
        line = read_line(text)
        if isinstance(line, AccordingLine):
            self.conclude(label)
        elif isinstance(line, CountLine):
            self.add_count(label)
        elif isinstance(line, ClueLine | CombiningLine):
            pattern = read_pattern(self.question, line.pattern)
            claim = None
            if isinstance(line, ClueLine):
                claim = read_claim(self.question.theme, self.question.known, line.sentence)
            if isinstance(pattern, Pattern):
                self.establish(label, pattern.tokens if claim is None else claim.tokens, pattern.ends)

    def establish(self, label: str, tokens: Tokens, ends: tuple[str, str]) -> None:
        """Take an ordering in, with the ends it was written with."""
        self.last = Known(label=label, tokens=tokens, left=self.question.fits(tokens))
        self.known[label] = self.last
        self.ends, self.concluded = ends, False

    def add_count(self, label: str) -> None:
        """Take in how many objects there are."""
        self.counts.append(label)
        self.concluded = False

    def conclude(self, label: str) -> None:
        """Take in what was read off the last ordering: nothing new."""
        self.others.add(label)
        self.concluded = True

    def leads_to(self, claim: int) -> bool:
        """Whether one of the orderings says so."""
        return any(follows(known.left, claim) for known in self.known.values())


def derive(question: Question, prefix: Sequence[Step] = ()) -> tuple[list[Step], str]:
    """All steps (those of `prefix`, which must be right, then new ones) and the final response.

    Raises ValueError where a step of the prefix is against the clues.
    """
    notes = Notes(question)
    for step in prefix:
        notes.read(step.label, step.text)
    if not all(follows(question.left, known.left) for known in notes.known.values()):
        raise ValueError("a step before the wrong one is wrong")
    steps = _Steps(prefix, notes)
    answer = question.fits(question.claims[question.right].tokens)
    if min((known.left.bit_count() for known in notes.known.values()), default=0) != question.left.bit_count():
        stated = {known.tokens for known in notes.known.values()}
        for sentence, claim in question.clues:
            if claim.tokens not in stated:
                steps.order(write_clue(question, sentence, claim, notes.ends), claim.tokens)
        if not notes.counts:
            notes.add_count(steps.add(write_count(question)))
        for cited, tokens in conclusions(question, notes.known):
            steps.order(_combining(notes, cited, tokens), tokens)
    if notes.last is None or not follows(notes.last.left, answer):
        best = min(notes.known.values(), key=lambda known: known.left.bit_count())
        steps.order(_combining(notes, [best], best.tokens), best.tokens)
    if not notes.concluded:
        steps.add(write_according(question, question.right))
    return steps.steps, f"{question.options[question.right]}. So the answer is ({question.right})."


def _combining(notes: Notes, cited: Sequence[Known], tokens: Tokens) -> str:
    """The line, which cites the count as well where one has to count the objects."""
    labels = [known.label for known in cited]
    if notes.counts and not holds_beside_others(notes.question.size, [known.tokens for known in cited], tokens):
        labels.append(notes.counts[0])
    return write_combining(notes.question, sorted(labels, key=label_key), tokens, notes.ends)


class _Steps:
    """Steps so far; a new ordering is noted at once."""

    def __init__(self, prefix: Sequence[Step], notes: Notes) -> None:
        self.steps = list(prefix)
        self.notes = notes

    def add(self, text: str) -> str:
        """Add a step; returns its label."""
        label = str(label_key(self.steps[-1].label)[0] + 1 if self.steps else 1)
        self.steps.append(Step(label=label, text=text))
        return label

    def order(self, text: str, tokens: Tokens) -> None:
        """Add a step with an ordering."""
        self.notes.establish(self.add(text), tokens, self.notes.ends)
