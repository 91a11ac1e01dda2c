"""Orders from clues: what a clue says, what two say together, who stands where; checking it."""

import random

from tripost.pretrain.page import GIVEN, KEY, SAID, Page, Statement, checks, exercises
from tripost.tasks.logical_deduction.arrangements import MANY
from tripost.tasks.logical_deduction.clues import Place, place_words, thing_in, write_place, write_relation
from tripost.tasks.logical_deduction.drill import exercise, write_pattern
from tripost.tasks.logical_deduction.themes import THEMES


def drills(rng: random.Random) -> Page:
    """Clues as orderings, and two orderings together."""
    return exercises([exercise(rng) for _ in range(5)])


def positions(rng: random.Random) -> Page:
    """Who stands where in a row that is given."""
    page: Page = []
    for _ in range(2):
        theme = rng.choice(THEMES)
        names = rng.sample(theme.names, rng.randint(3, 6))
        size = len(names)
        page.append((write_pattern(theme, names, tuple(range(size))) + "\n", GIVEN))
        for _ in range(3):
            p = rng.randrange(size)
            from_end = size - 1 - p < p if abs(size - 1 - 2 * p) > 1 else rng.random() < 0.5
            place = Place(count=size - 1 - p if from_end else p, from_end=from_end)
            verb = "is" if theme.verb == "are" else theme.verb
            asked = f"According to this ordering, the {theme.noun} that {verb} {place_words(theme, place)} is"
            page += [(asked, GIVEN), (f" {thing_in(theme, names[p])}.\n", SAID)]
    return page


def choices(rng: random.Random) -> Page:
    """Which option an object is; asked of half of them, so that little can be found by exclusion."""
    page: Page = []
    for _ in range(3):
        theme = rng.choice(THEMES)
        names = rng.sample(theme.names, rng.randint(3, 7))
        place = Place(count=rng.randrange(min(4, len(names))), from_end=rng.random() < 0.5)
        lettered = list(zip("ABCDEFG", names, strict=False))
        plain = rng.random() < 0.5
        listed = "".join(
            f"({letter}) {thing_in(theme, name) if plain else write_place(theme, name, place)}\n"
            for letter, name in lettered
        )
        page.append((f"Options:\n{listed}", GIVEN))
        for letter, name in rng.sample(lettered, len(lettered) // 2):
            asked = f"The answer is {thing_in(theme, name)}"
            if not plain and rng.random() < 0.5:
                asked = f"{write_place(theme, name, place)} So the answer is"
            page += [(asked, GIVEN), (f" ({letter}).\n", KEY)]
    return page


def wrong_clue(rng: random.Random) -> Statement:
    """A clue with its ordering, and with another one."""
    theme = rng.choice(THEMES)
    names = rng.sample(theme.names, 2)
    if rng.random() < 0.4:
        place = Place(count=rng.randrange(3), from_end=rng.random() < 0.5)
        other = Place(count=rng.choice([k for k in range(3) if k != place.count]), from_end=place.from_end)
        if rng.random() < 0.5:
            other = Place(count=place.count, from_end=not place.from_end)
        sentence = write_place(theme, names[0], place)[:-1]
        right, wrong = place.tokens(0), other.tokens(0)
    else:
        relation = theme.relations[0]
        forward = rng.random() < 0.5
        sentence = write_relation(theme, rng.choice(relation.forward if forward else relation.back), *names)[:-1]
        right = (MANY, 0, MANY, 1, MANY) if forward else (MANY, 1, MANY, 0, MANY)
        exchanged = (MANY, right[3], MANY, right[1], MANY)
        wrong = rng.choice((exchanged, exchanged, right[1:], right[:-1], (MANY, right[1], right[3], MANY)))
    said, slipped = (write_pattern(theme, names, tokens) for tokens in (right, wrong))
    return Statement(f"{sentence}: {said}", f"{sentence}: {slipped}")


def wrong_against_row(rng: random.Random) -> Statement:
    """What holds of a row that is given, and what does not."""
    theme = rng.choice(THEMES)
    names = rng.sample(theme.names, rng.randint(3, 5))
    size = len(names)
    row = write_pattern(theme, names, tuple(range(size)))
    if rng.random() < 0.5:
        a, b = sorted(rng.sample(range(size), 2))
        relation = theme.relations[0]
        forward = rng.random() < 0.5
        words = rng.choice(relation.forward if forward else relation.back)
        one, two = (names[a], names[b]) if forward else (names[b], names[a])
        right, wrong = write_relation(theme, words, one, two), write_relation(theme, words, two, one)
    else:
        p, q = rng.sample(range(size), 2)
        from_end = rng.random() < 0.5
        place = Place(count=size - 1 - p if from_end else p, from_end=from_end)
        right, wrong = write_place(theme, names[p], place), write_place(theme, names[q], place)
    return Statement(f"{row}: {right[:-1]}", f"{row}: {wrong[:-1]}", follows=False)


def order_checks(rng: random.Random) -> Page:
    """Clues and rows, right and wrong."""
    return checks([rng.choice((wrong_clue, wrong_against_row))(rng) for _ in range(rng.randint(2, 6))], rng)
