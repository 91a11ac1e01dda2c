"""The scripted FBK and IMP of word sorting.

FBK checks what each line claims: the letters and their numbers, the groups, the order, and that no word of the
list (or of the subpart) is missing where it is put in order. Any order of work that makes only true claims is right.
"""

from itertools import pairwise

from tripost.experts.script import Wrong, improve_by, judge_steps
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.records import Attempt, Feedback, Problem, Step
from tripost.tasks.word_sorting.derive import derive, sortable_words
from tripost.tasks.word_sorting.lines import (
    FIRST,
    HAVE,
    HENCE,
    ORDINALS,
    SUBPART,
    Group,
    UnreadableError,
    letter,
    read_groups,
    read_letters,
    read_order,
    write_group,
)
from tripost.text import says_only_the_answer


class WordScript:
    """Expert for word sorting."""

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        """FBK. The first claim that does not hold; CannotJudge for a step that is none of the known forms."""
        try:
            words = sortable_words(problem.question)
        except ValueError as error:
            return CannotJudge(f"question: {error}")
        checker = _Checker(words)
        return judge_steps(checker, attempt)

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        """IMP. Keeps the steps before the wrong one and derives the rest; gives nothing that FBK would not accept."""
        return improve_by(derive, self, problem, attempt, feedback)


class _Checker:
    """Reads an attempt line by line; `open` holds the word sets that wait for their order, with the letter looked
    at, the latest last; the whole list is always among them."""

    def __init__(self, words: list[str]) -> None:
        self.listed = words
        self.words = frozenset(words)
        self.ordered: set[frozenset[str]] = set()
        self.splits: dict[frozenset[str], list[frozenset[str]]] = {}
        self.open: dict[frozenset[str], int] = {self.words: 1}

    def step(self, step: Step) -> Wrong | CannotJudge | None:
        text = step.text
        try:
            if text.startswith((FIRST, SUBPART)):
                return self._letters(text)
            if text.startswith(HAVE):
                return self._groups(text)
            if text.startswith(HENCE):
                return self._order(text)
        except UnreadableError as error:
            return str(error), "it cannot be read"
        return CannotJudge("none of the known forms")

    def final(self, attempt: Attempt) -> Wrong | CannotJudge | None:
        if not says_only_the_answer(attempt.final_text):
            return CannotJudge("the final response says more than the answer")
        words, said = sorted(self.words), (attempt.final or "").split()
        if said != words:
            return attempt.final_text, _why_final(self.listed, said)
        return None if self.settles(self.words) else CannotJudge("the answer is right, but no step leads to it")

    def _letters(self, text: str) -> Wrong | None:
        named, k, letters = read_letters(text)
        scope = self.words if named is None else frozenset(named)
        if named is not None:
            shared = named[0][: k - 1]
            for word in named:
                if word not in self.words:
                    return write_group(named), f'"{word}" is not in the list'
                if word[: k - 1] != shared:
                    return write_group(named), f'"{word}" does not start with "{shared}"'
            if len(scope) < max(2, len(named)):
                return write_group(named), f'"{named[0]}" needs no sorting'
        for item in letters:
            if item.word not in self.words:
                return item.text, f'"{item.word}" is not in the list'
            if item.word not in scope:
                return item.text, f'"{item.word}" is not in this subpart'
            if (item.letter, item.number) != letter(item.word, k):
                return item.text, _true_letter(item.word, k)
        self.open.pop(scope, None)
        self.open[scope] = k
        return None

    def _groups(self, text: str) -> Wrong | None:
        groups = read_groups(text)
        scope, k = self._close_to([word for group in groups for word in group.words])
        before: Group | None = None
        for group in groups:
            for word in group.words:
                if word not in scope:
                    where = "this subpart" if word in self.words else "the list"
                    return group.text, f'"{word}" is not in {where}'
                if letter(word, k)[1] != group.number:
                    return group.text, _true_letter(word, k)
                if group.words.count(word) > 1:
                    return group.text, f'"{word}" stands there twice'
            if before and before.number >= group.number:
                same = before.number == group.number
                reason = f"both are ({group.number})" if same else f"({group.number}) comes before ({before.number})"
                return f"{before.text} < {group.text}", reason
            before = group
        present = {word for group in groups for word in group.words}
        missing = sorted(scope - present, key=lambda word: letter(word, k)[1])
        if not missing:
            self.splits[scope] = [frozenset(group.words) for group in groups]
            return None
        alike = [g for g in groups if g.number == letter(missing[0], k)[1]]
        place = sum(g.number < letter(missing[0], k)[1] for g in groups)
        part = alike[0].text if alike else _gap(text, [g.text for g in groups], place, HAVE)
        return part, f'"{missing[0]}" is missing'

    def _order(self, text: str) -> Wrong | None:
        order = read_order(text)
        scope, _ = self._close_to(order)
        for before, word in zip([None, *order], order, strict=False):
            if word not in scope:
                where = "this subpart" if word in self.words else "the list"
                return f'"{word}"', f'"{word}" is not in {where}'
            if before is not None and before >= word:
                twice = f'"{word}" stands there twice'
                return (
                    f'"{before}" < "{word}"',
                    twice if before == word else f'"{word}" comes before "{before}"',
                )
        missing = sorted(scope - set(order))
        if missing:
            place = sum(word < missing[0] for word in order)
            return _gap(text, [f'"{word}"' for word in order], place, HENCE), f'"{missing[0]}" is missing'
        self.ordered.add(scope)
        self.open = {other: k for other, k in self.open.items() if other == self.words or not other <= scope}
        return None

    def settles(self, scope: frozenset[str]) -> bool:
        """Whether the steps put these words in order: by a Hence line, or by groups down to single words."""
        if scope in self.ordered or len(scope) == 1:
            return True
        return scope in self.splits and all(part < scope and self.settles(part) for part in self.splits[scope])

    def _close_to(self, words: list[str]) -> tuple[frozenset[str], int]:
        """The open word set that a line with these words speaks of: the same set, else the most alike."""
        present = frozenset(words)
        if present in self.open:  # else the line is wrong, and the last one that is read
            return present, self.open[present]

        def alike(scope: frozenset[str]) -> float:
            common = len(scope & present)
            return common / (len(scope) + len(present) - common)

        return max(reversed(self.open.items()), key=lambda item: alike(item[0]))


def _gap(text: str, items: list[str], place: int, head: str) -> str:
    """The text around the place where something is missing; it cannot stand in a line that has it.

    Behind the last item that is the end of the line, with or without its full stop.
    """
    if place == 0:
        return f"{head}{items[0]}"
    return f"{items[place - 1]} < {items[place]}" if place < len(items) else text[text.rindex(items[-1]) :]


def _true_letter(word: str, k: int) -> str:
    found, number = letter(word, k)
    return f'the {ORDINALS[k - 1]} letter of "{word}" is "{found}" ({number})'


def _why_final(words: list[str], final: list[str]) -> str:
    known, said = set(words), set(final)
    for word in final:
        if word not in known:
            return f'"{word}" is not in the list'
    for word in words:
        if word not in said:
            return f'"{word}" is missing'
    before, word = next((a, b) for a, b in pairwise(final) if a >= b)
    return f'"{word}" stands there twice' if before == word else f'"{word}" comes before "{before}"'
