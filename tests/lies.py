"""Whether a line with a planted error says what is not so: read here, or by the benchmark's readers, not by ours."""

import re
from collections.abc import Callable

import pytest

from bench.planted import clues, date_facts, date_lines
from bench.planted.calendar_days import DATE, read_date
from bench.planted.rows import fitting, order_of
from tests.fakes import ARITHMETIC, DATES, DEDUCTION, WORDS
from tests.test_planted import python_value
from tripost.interfaces import PlantedError
from tripost.records import Attempt, Problem

ORDINALS = ["first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]


def lies_about_numbers(problem: Problem, before: Attempt, error: PlantedError) -> bool:
    """Whether, by Python's own parser, a claim of the line has another value than the truth."""
    values = {
        name: python_value(definition)
        for name, definition in re.findall(r"([A-Z]) = (\([^=]*?\))(?=,| and|\.$)", before.line(1))
    }

    def value(text: str) -> int:
        return python_value(re.sub("[A-Z]", lambda letter: f"({values[letter[0]]})", text))

    line = error.attempt.line(error.step)
    if line.startswith("So the answer is"):
        return error.attempt.final != problem.answer
    if line.startswith("This equation"):
        found = re.findall(r"([A-Z]) = (\([^=]*?\))(?=,| and|\.$)", line)
        return any(python_value(definition) != values[name] for name, definition in found)
    claims = line.removesuffix(".").removeprefix("Let's calculate ").removeprefix("Then, the final equation is ")
    truth = values[claims[0]] if line.startswith("Let's") else int(problem.answer)
    items = claims.split(" = ")[1:] if line.startswith("Let's") else claims.split(" = ")
    return any(value(item) != truth for item in items)


def lies_about_words(problem: Problem, before: Attempt, error: PlantedError) -> bool:
    """Whether the line says something of letters, numbers, order or words that is not so."""
    listed = problem.question.partition("List: ")[2].split()
    line = error.attempt.line(error.step)
    if line.startswith("So the answer is"):
        return str(error.attempt.final).split() != sorted(listed)
    named = set(re.findall(r'"([a-z]{2,})"(?!=")', line)) | set(re.findall(r'"([a-z]+)"="', line))
    if named - set(listed):
        return True
    if line.startswith(("The first", "Now sort")):
        k = next(number for number, name in enumerate(ORDINALS) if f"{name} letter" in line)
        found = re.findall(r'"(\w+)"="(\w?)" \((-?\d+)\)', line)
        return any((c, int(n)) != (word[k], ord(word[k]) - 96) for word, c, n in found)
    numbers = [int(n) for n in re.findall(r"\((-?\d+)\)", line)]
    right = set(re.findall(r'"([a-z]+)"', before.line(error.step)))
    order = re.findall(r'"([a-z]+)"', line)
    if line.startswith("We now have"):
        true = [int(n) for n in re.findall(r"\((-?\d+)\)", before.line(error.step))]
        return numbers != true
    return order != sorted(order) or set(order) != right


def lies_about_dates(problem: Problem, before: Attempt, error: PlantedError) -> bool:
    """Whether a day is none that may be meant, however months are counted; or the question does not say what is told."""
    told, line = date_facts.read_question(problem.question), error.attempt.line(error.step)
    if line.startswith("So the answer is"):
        return read_date(told.options[str(error.attempt.final)[1]]) not in told.answers()
    condition, _, said = line.rpartition(", then ")
    if condition != before.line(error.step).rpartition(", then ")[0]:
        text = before.raw.split("\n")
        text[error.step - 1] = text[error.step - 1].replace(before.line(error.step), line)
        with pytest.raises(ValueError, match="wrong already") as refusal:
            date_lines.read_work(told, "\n".join(text))
        return line in str(refusal.value)
    subject = said.partition(" is ")[0]
    right = date_lines.read_claim(subject[0].lower() + subject[1:]).days(told.possible())
    return not {read_date(date) for date in re.findall(DATE, said)} <= right


def lies_about_order(problem: Problem, before: Attempt, error: PlantedError) -> bool:
    """Whether what is said of the order is false in the only order that there is."""
    puzzle, line = clues.read_puzzle(problem.question), error.attempt.line(error.step)
    order = order_of(puzzle.solutions(), puzzle.count)
    if "So the answer is" in line:
        sentence, _, letter = line.removesuffix(").").partition(" So the answer is (")
        return sentence == puzzle.options[letter] and not _true(puzzle, sentence)
    if line.startswith("According to"):
        where, _, thing = line.removesuffix(".").rpartition(" is " if " is " in line else " are ")
        return puzzle.thing(thing) != order[clues.place_of(where.partition(" that ")[2], puzzle.count)]
    sentence, _, quote = line.removesuffix('".').partition(': "')
    ends = re.fullmatch(r"\(([^)]+)\).*\(([^(]+)\)", quote)
    assert ends is not None
    if sentence != before.line(error.step).partition(': "')[0] and _true(puzzle, sentence):
        return False
    return not (fitting(puzzle.row((ends[1], ends[2])).read(quote), puzzle.count) & puzzle.solutions()).any()


def _true(puzzle: clues.Puzzle, sentence: str) -> bool:
    return bool(clues.read_clue(sentence, puzzle.names).mask[puzzle.solutions()].any())


LIES: dict[str, Callable[[Problem, Attempt, PlantedError], bool]] = {
    ARITHMETIC: lies_about_numbers,
    DATES: lies_about_dates,
    DEDUCTION: lies_about_order,
    WORDS: lies_about_words,
}
