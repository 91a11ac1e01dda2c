"""The published way to sort a list of words step by step, from the start or from any prefix of right steps."""

from collections.abc import Sequence
from itertools import groupby

from tripost.records import Step
from tripost.tasks.word_sorting.lines import (
    FIRST,
    HAVE,
    HENCE,
    MAX_LETTERS,
    ORDINALS,
    SUBPART,
    letter,
    read_groups,
    read_letters,
    read_order,
    write_groups,
    write_letters,
    write_order,
)
from tripost.text import label_key

MAX_WORDS = 200
MAX_QUESTION = 20_000


def question_words(question: str) -> list[str]:
    """The words of `Sort the following words alphabetically: List: ...`; empty for another question."""
    if len(question) > MAX_QUESTION:
        return []
    head, found, words = question.partition("List:")
    return words.split() if found and head.startswith("Sort the following words alphabetically:") else []


def sortable_words(question: str) -> list[str]:
    """The words of a question that the lines of this task can speak of. Raises ValueError for another question."""
    words = question_words(question)
    if not 2 <= len(words) <= MAX_WORDS or len(set(words)) != len(words) or not all(map(_sortable, words)):
        raise ValueError("not a list of different lower-case words")
    return words


def _sortable(word: str) -> bool:
    return len(word) <= MAX_LETTERS and word.isascii() and word == word.lower() and '"' not in word


def groups_at(words: Sequence[str], k: int) -> list[tuple[int, list[str]]]:
    """The words by their k-th letter, in order; within a group in the order given."""

    def number(word: str) -> int:
        return letter(word, k)[1]

    return [(n, list(group)) for n, group in groupby(sorted(words, key=number), key=number)]


def derive(question: str, prefix: Sequence[Step] = ()) -> tuple[list[Step], str]:
    """All steps (those of `prefix`, which must be right, then new ones) and the final response.

    Raises ValueError where the words cannot be sorted so, or agree beyond the letters that have a name.
    """
    words = sortable_words(question)
    steps = _Steps(prefix, frozenset(words))
    everything = frozenset(words)
    steps.add("letters", everything, 1, (), write_letters(words, 1, whole=True))
    groups = groups_at(words, 1)
    steps.add("groups", everything, 1, (), write_groups(groups))
    for _, group in groups:
        if len(group) > 1:
            _subpart(steps, group, 2, ())
    steps.add("order", everything, 0, (), write_order(sorted(words)))
    return steps.steps, f"So the answer is: {' '.join(sorted(words))}."


def _subpart(steps: "_Steps", words: list[str], k: int, above: tuple[int, ...]) -> None:
    """Sort words that agree in their first k-1 letters; new steps stand below the line that opens the subpart."""
    scope = frozenset(words)
    if any(kind == "order" and scope <= known for kind, known, _ in steps.known):
        return
    below = steps.add("letters", scope, k, above, write_letters(words, k, whole=False))
    while True:
        groups = groups_at(words, k)
        steps.add("groups", scope, k, below, write_groups(groups))
        if len(groups) > 1:
            break
        k += 1
        if k > len(ORDINALS):
            raise ValueError("words that agree in more than twenty letters")
        steps.add("letters", scope, k, below, write_letters(words, k, whole=False))
    for _, group in groups:
        if len(group) > 1:
            _subpart(steps, group, k + 1, below)
    steps.add("order", scope, 0, below, write_order(sorted(words)))


class _Steps:
    """Steps so far, what they establish, and where the next one goes."""

    def __init__(self, prefix: Sequence[Step], everything: frozenset[str]) -> None:
        self.steps = list(prefix)
        self.known: dict[tuple[str, frozenset[str], int], tuple[int, ...]] = {}
        level = {everything: 1}
        for step in prefix:
            label = label_key(step.label)
            if step.text.startswith((FIRST, SUBPART)):
                named, k, _ = read_letters(step.text)
                scope = everything if named is None else frozenset(named)
                level[scope] = k
                self.known.setdefault(("letters", scope, k), label)
            elif step.text.startswith(HAVE):
                scope = frozenset(word for group in read_groups(step.text) for word in group.words)
                self.known.setdefault(("groups", scope, level.get(scope, 1)), label)
            elif step.text.startswith(HENCE):
                self.known.setdefault(("order", frozenset(read_order(step.text)), 0), label)

    def add(self, kind: str, scope: frozenset[str], k: int, above: tuple[int, ...], text: str) -> tuple[int, ...]:
        """Add a step below `above`, unless the prefix has established it; returns its label."""
        key = (kind, scope, k)
        if key not in self.known:
            self.known[key] = self._next_label(above)
            self.steps.append(Step(label=".".join(map(str, self.known[key])), text=text))
        return self.known[key]

    def _next_label(self, above: tuple[int, ...]) -> tuple[int, ...]:
        labels = [label_key(step.label) for step in self.steps]
        depth = len(above)
        used = [label[depth] for label in labels if label[:depth] == above and len(label) > depth]
        label = (*above, max(used, default=0) + 1)
        # A prefix in another numbering: go on at the top, where a larger number is always free.
        return label if not labels or label > labels[-1] else (labels[-1][0] + 1,)
