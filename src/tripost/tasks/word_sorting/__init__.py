"""Word sorting (BIG-Bench Hard): sort a list of words alphabetically.

Difficulty is `N words`. Seen: 2-7 words. Unseen: 8-20 words. The generator makes words from syllables: an endless
supply without anybody's licence, with as many shared beginnings as English has.
"""

import random
import re
from collections.abc import Iterator, Sequence

from tripost.errors import DataError
from tripost.interfaces import Expert, PlantedError
from tripost.records import Attempt, Problem
from tripost.tasks.generated import generate
from tripost.tasks.word_sorting.derive import derive, question_words
from tripost.tasks.word_sorting.lines import ORDINALS, letter
from tripost.text import write_attempt

_DIFFICULTY = re.compile(r"([0-9]{1,2}) words")
_ONSETS = [
    "b",
    "bl",
    "br",
    "c",
    "ch",
    "cl",
    "cr",
    "d",
    "dr",
    "f",
    "fl",
    "fr",
    "g",
    "gl",
    "gr",
    "h",
    "j",
    "k",
    "l",
    "m",
    "n",
    "p",
    "ph",
    "pl",
    "pr",
    "qu",
    "r",
    "s",
    "sc",
    "sh",
    "sl",
    "sp",
    "st",
    "str",
    "t",
    "th",
    "tr",
    "v",
    "w",
]
_VOWELS = ["a", "a", "e", "e", "i", "o", "u", "ai", "ea", "ee", "io", "oo", "ou"]
_CODAS = [
    "",
    "",
    "",
    "ck",
    "ct",
    "l",
    "ll",
    "m",
    "n",
    "nd",
    "ng",
    "nt",
    "p",
    "r",
    "rd",
    "rt",
    "s",
    "ss",
    "st",
    "t",
    "x",
]
_TIE = 0.25
"""Share of words made to begin like an earlier one: about as many second looks as the published lists need."""


class WordSorting:
    """The task."""

    name = "word_sorting"

    def seen(self, difficulty: str) -> bool:
        """Seen: 2-7 words."""
        return _read(difficulty) <= 7

    def problems(self, difficulties: Sequence[str], seed: int) -> Iterator[Problem]:
        """Endless problems, difficulties in turn."""
        return generate(self, difficulties, seed, _problem)

    def is_correct(self, problem: Problem, attempt: Attempt) -> bool:
        """The same words in the same order."""
        return attempt.final is not None and attempt.final.split() == problem.answer.split()

    def script(self) -> Expert:
        """FBK and IMP that look at the letters."""
        from tripost.tasks.word_sorting.check import WordScript

        return WordScript()

    def plant(self, problem: Problem, attempt: Attempt, rng: random.Random) -> PlantedError | None:
        """A letter misread, or words exchanged, dropped or misspelt."""
        from tripost.tasks.word_sorting.plant import plant

        return plant(problem, attempt, rng)

    def drill(self, rng: random.Random) -> tuple[str, str]:
        """A letter of a word, with its number."""
        word = _word(rng)
        k = rng.randint(1, min(4, len(word)))
        found, number = letter(word, k)
        return f'{ORDINALS[k - 1]} letter: "{word}"=', f'"{found}" ({number})'

    def difficulty(self, question: str) -> str:
        """The number of words of a published question."""
        words = question_words(question)
        if not 2 <= len(words) <= 20:
            raise DataError("not a question of word sorting: no list of 2-20 words")
        return f"{len(words)} words"


def _read(difficulty: str) -> int:
    match = _DIFFICULTY.fullmatch(difficulty)
    if match is None or not 2 <= int(match[1]) <= 20:
        raise DataError(f"difficulty {difficulty!r}: write it as '4 words' (2-20)")
    return int(match[1])


def _word(rng: random.Random) -> str:
    syllables = [rng.choice(_ONSETS) + rng.choice(_VOWELS) for _ in range(rng.choice((1, 1, 1, 2)))]
    return "".join(syllables) + rng.choice(_CODAS)


def some_words(count: int, rng: random.Random) -> list[str]:
    """Made-up words, all different, some of which begin alike."""
    words: list[str] = []
    while len(words) < count:
        word = _word(rng)
        if words and rng.random() < _TIE:
            word = rng.choice(words)[: rng.choice((1, 1, 2))] + word[1:]
        # No word is the beginning of another one, as in the published lists.
        if not any(word.startswith(other) or other.startswith(word) for other in words):
            words.append(word)
    return words


def _problem(difficulty: str, rng: random.Random) -> tuple[str, str, str]:
    """Question, answer and rationale."""
    question = f"Sort the following words alphabetically:\nList: {' '.join(some_words(_read(difficulty), rng))}"
    steps, final_text = derive(question)
    attempt = write_attempt(steps, final_text, "dataset")
    return question, str(attempt.final), attempt.raw
