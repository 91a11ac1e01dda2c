"""Spelling, comparing and ordering words; ticking off lists; checking both."""

import random

from tripost.pretrain.page import GIVEN, KEY, SAID, Page, Statement, checks, exercises
from tripost.records import Step
from tripost.tasks.word_sorting import some_words
from tripost.tasks.word_sorting.derive import derive, groups_at
from tripost.tasks.word_sorting.lines import ORDINALS, letter, write_groups, write_letters, write_order


def _ties(count: int, rng: random.Random) -> list[str]:
    """Words that begin alike."""
    words = some_words(count, rng)
    k = rng.choice((1, 1, 1, 2))
    return list(dict.fromkeys(words[0][:k] + word[k:] for word in words))


def spelling(rng: random.Random) -> Page:
    """Letter by letter."""
    return exercises([(f'"{word}":', f" {', '.join(word)}.") for word in some_words(8, rng)])


def looking(rng: random.Random) -> Page:
    """The first letters of a list, the second ones of words that begin alike: as numbers, too."""
    page: Page = []
    for _ in range(3):
        if rng.random() < 0.5:
            words = some_words(rng.randint(2, 7), rng)
            page += [(f"List: {' '.join(words)}\n", GIVEN), (write_letters(words, 1, whole=True) + "\n", SAID)]
        else:
            words = _ties(rng.randint(2, 4), rng)
            k = rng.randint(2, 3)
            head, colon, rest = write_letters(words, k, whole=False).partition("letters:")
            page += [(head + colon, GIVEN), (rest + "\n", SAID)]
    return page


def grouping(rng: random.Random) -> Page:
    """Words with the numbers of their letters, ordered by them."""
    page: Page = []
    for _ in range(3):
        k = rng.choice((1, 1, 2))
        words = some_words(rng.randint(2, 7), rng) if k == 1 else _ties(rng.randint(2, 4), rng)
        line = ", ".join(f'"{word}"="{letter(word, k)[0]}" ({letter(word, k)[1]})' for word in words)
        page += [(line + "\n", GIVEN), (write_groups(groups_at(words, k)) + "\n", SAID)]
    return page


def ordering(rng: random.Random) -> Page:
    """Two to four words in the order of the alphabet."""
    page: Page = []
    for _ in range(5):
        words = some_words(rng.randint(2, 3), rng) if rng.random() < 0.6 else _ties(rng.randint(2, 3), rng)
        page += [(f"Words: {' '.join(words)}\n", GIVEN), (write_order(sorted(words)) + "\n", SAID)]
    return page


def ticking(rng: random.Random) -> Page:
    """Which word of a list is missing in another one, or stands there though it is not in the list."""
    page: Page = []
    for _ in range(3):
        words = some_words(rng.randint(2, 8), rng)
        other = rng.sample(words, len(words)) if rng.random() < 0.4 else sorted(words)
        chance, said = rng.random(), "Nothing is missing."
        if chance < 0.4 and len(other) > 1:
            said = f'"{other.pop(rng.randrange(len(other)))}" is missing.'
        elif chance < 0.7:
            k = rng.randrange(len(other))
            said = f'"{other[k]}" is missing. '
            other[k] = misspelt(other[k], rng)
            said += f'"{other[k]}" is not in the list.'
        page += [(f"List: {' '.join(words)}\nOther: {' '.join(other)}\n", GIVEN), (said + "\n", KEY)]
    return page


_WITH_A_TIE = 4
"""Steps of a solution in which words begin alike, or more."""


def merging(rng: random.Random) -> Page:
    """A list sorted step by step, with its last line to be said: all words in order."""
    steps: list[Step] = []
    while len(steps) < _WITH_A_TIE:
        words = some_words(rng.randint(3, 7), rng)
        steps, _ = derive(f"Sort the following words alphabetically:\nList: {' '.join(words)}")
    given = "\n".join(f"({step.label}) {step.text}" for step in steps[:-1])
    return [(f"{given}\n({steps[-1].label})", GIVEN), (f" {steps[-1].text}\n", SAID)]


def misspelt(word: str, rng: random.Random) -> str:
    """The word with a letter dropped, doubled, changed, or two exchanged."""
    k = rng.randrange(len(word))
    tried = rng.choice(
        (
            word[:k] + word[k + 1 :],
            word[: k + 1] + word[k:],
            word[:k] + rng.choice("abcdefghilmnoprstu") + word[k + 1 :],
            word[:k] + word[k + 1 : k + 2] + word[k : k + 1] + word[k + 2 :],
        )
    )
    return tried if tried and tried != word else f"{word}s"


def wrong_letters(rng: random.Random) -> Statement:
    """A line of letters, and with one of them or its number misread, or a word misspelt."""
    k = rng.choice((1, 1, 2))
    words = some_words(rng.randint(2, 6), rng) if k == 1 else _ties(rng.randint(2, 3), rng)
    items = [f'"{word}"="{letter(word, k)[0]}" ({letter(word, k)[1]})' for word in words]
    at = rng.randrange(len(items))
    word, (found, number) = words[at], letter(words[at], k)
    other = rng.choice([c for c in "abcdefghijklmnopqrstuvwxyz" if c != found])
    slips = [
        f'"{word}"="{other}" ({ord(other) - 96})',
        f'"{word}"="{found}" ({number + rng.choice((-1, 1, 2))})',
        f'"{misspelt(word, rng)}"="{found}" ({number})',
    ]
    if k > 1:  # without the list, another spelling is no mistake
        slips.pop()
    wrong = [*items[:at], rng.choice(slips), *items[at + 1 :]]
    listed = f"List: {' '.join(words)}. " if k == 1 else ""
    head = f"{listed}The {ORDINALS[k - 1]} letter: "
    return Statement(head + ", ".join(items), head + ", ".join(wrong), follows=k == 1)


def wrong_order(rng: random.Random) -> Statement:
    """Words in order, and with two neighbours exchanged; with the numbers of their letters or without."""
    words = sorted(some_words(rng.randint(2, 6), rng)) if rng.random() < 0.6 else sorted(_ties(3, rng))
    if len(words) < 2:
        return wrong_order(rng)
    items = [f'"{word}"' for word in words]
    if rng.random() < 0.5:
        items = [f'({letter(word, 1)[1]}) "{word}"' for word in words]
    k = rng.randrange(len(items) - 1)
    wrong = [*items[:k], items[k + 1], items[k], *items[k + 2 :]]
    if items[k][:4] == items[k + 1][:4] and items[k][0] == "(":
        return wrong_order(rng)
    return Statement(" < ".join(items), " < ".join(wrong), follows=False)


def wrong_list(rng: random.Random) -> Statement:
    """A list said again in order, and with a word dropped, misspelt or out of its place."""
    words = some_words(rng.randint(2, 7), rng)
    right = sorted(words)
    wrong = list(right)
    k = rng.randrange(len(wrong))
    chance = rng.random()
    if chance < 0.4 and len(wrong) > 2:
        wrong.pop(k)
    elif chance < 0.7:
        wrong[k] = misspelt(wrong[k], rng)
    else:
        wrong.insert(rng.choice([j for j in range(len(wrong)) if j != k]), wrong.pop(k))
    head = f"List: {' '.join(words)}. In order: "
    return Statement(head + " ".join(right), head + " ".join(wrong))


def letter_checks(rng: random.Random) -> Page:
    """Lines of letters, right and wrong."""
    return checks([wrong_letters(rng) for _ in range(rng.randint(2, 4))], rng)


def order_checks(rng: random.Random) -> Page:
    """Orders and lists, right and wrong."""
    return checks([rng.choice((wrong_order, wrong_list))(rng) for _ in range(rng.randint(2, 5))], rng)
