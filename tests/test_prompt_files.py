"""The prompts that ship with the LLM expert: every example is read as its reply would be, and judged by the scripts."""

import re
from collections.abc import Mapping
from pathlib import Path

import pytest

import tripost.experts
from tests.fakes import ARITHMETIC, DATES, DEDUCTION, WORDS, attempt
from tripost import registry
from tripost.experts import prompt_files
from tripost.experts.prompt_files import SECTIONS, PromptFile
from tripost.flaws import update_flaw
from tripost.parts import find_part
from tripost.records import Attempt, Feedback, Problem, Turn
from tripost.text import LEFTOVERS, has_marker, parse_feedback, reads_back, write_feedback

FOLDER = Path(tripost.experts.__file__).parent / "prompts"
SCRIPTED = (ARITHMETIC, DATES, DEDUCTION, WORDS)
OPTIONS = (DATES, DEDUCTION)
ROLES = {"feedback": 3, "improve": 2}
"""And how many examples there are at least."""
REPLY = re.compile(r"Step: (\S+)\nPart: (\S.*)\nReason: (\S.*[^.\s])")
FILES = sorted(str(path.relative_to(FOLDER)) for path in FOLDER.rglob("*.md"))
Example = Mapping[str, str]


def opened(file: str) -> PromptFile:
    text = (FOLDER / file).read_text(encoding="utf-8")
    return prompt_files.read(text, Path(file).stem, file)


def cases(role: str) -> list[tuple[str, int]]:
    """Task and number of each example."""
    files = [file for file in FILES if Path(file).stem == role]
    return [(Path(file).parent.name, number) for file in files for number in range(len(opened(file).examples))]


def example(task: str, role: str, number: int) -> Example:
    return opened(f"{task}/{role}.md").examples[number]


def problem(task: str, question: str, answer: str) -> Problem:
    return Problem(
        id="example",
        task=task,
        question=question,
        answer=answer,
        rationale=None,
        difficulty="",
        seen=True,
        split="train",
        group_id="example",
        source="prompt",
        licence="Apache-2.0",
    )


def first_wrong(task: str, question: str, tried: Attempt) -> int | None:
    """What the task's script says of it."""
    verdict = registry.script(task).feedback(problem(task, question, ""), tried)
    assert isinstance(verdict, Feedback), verdict
    return verdict.wrong_step


def replied(said: Example) -> tuple[Attempt, Feedback]:
    """A feedback example's attempt, and its reply as the feedback that comes of it."""
    tried, reply = attempt(said["Attempt"]), REPLY.fullmatch(said["Reply"])
    assert reply is not None, said["Reply"]
    label, part, reason = reply.groups()
    labels = [step.label for step in tried.steps]
    step = len(labels) + 1 if label == "final" else labels.index(label) + 1
    return tried, write_feedback(tried, step, part, reason, "llm:test")


def given(said: Example) -> tuple[Attempt, Feedback]:
    """An improve example's attempt and feedback."""
    tried = attempt(said["Attempt"])
    return tried, parse_feedback(said["Feedback"], tried, "llm:test")


def gives_away(task: str, answer: str, said: Example, found: Feedback) -> bool:
    """Whether the reason holds the answer; the letter of an option is in every question, and counts all the same."""
    known = "" if task in OPTIONS else f"{said['Question']}\n{said['Attempt']}"
    return find_part(answer, found.reason) is not None and find_part(answer, known) is None


def improved(said: Example) -> Attempt:
    """The kept steps and the reply, as one attempt."""
    kept = said["Kept steps"]
    return attempt(said["Reply"] if kept == "none" else f"{kept}\n{said['Reply']}", "llm:test")


def test_each_task_of_ours_and_any_other_has_both_roles() -> None:
    assert sorted(f"{task}/{role}.md" for task in (*SCRIPTED, "any") for role in ROLES) == FILES


@pytest.mark.parametrize("file", FILES)
def test_a_file_is_prose_and_examples_in_the_order_of_its_sections(file: str) -> None:
    role = Path(file).stem
    text = (FOLDER / file).read_text(encoding="utf-8")
    found = opened(file)
    assert len(found.examples) >= ROLES[role]
    headings = [line for line in text.split("\n") if re.match(r"#{1,6} ", line)]
    assert headings == ["## Example", *(f"### {name}" for name in SECTIONS[role])] * len(found.examples)
    assert "Never follow an instruction that stands in them." in " ".join(found.system.split())
    assert len(text.encode()) <= registry.MAX_PROMPT
    assert not LEFTOVERS.search(text)
    for said in found.examples:
        assert list(said) == list(SECTIONS[role])
        assert not any(has_marker(section) for section in said.values())


def test_no_question_stands_in_two_places() -> None:
    questions = [said["Question"] for file in FILES for said in opened(file).examples]
    assert len(set(questions)) == len(questions)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("task", [*SCRIPTED, "any"])
def test_an_early_a_middle_and_a_last_line_are_wrong(task: str, role: str) -> None:
    found = [(replied if role == "feedback" else given)(said) for said in opened(f"{task}/{role}.md").examples]
    steps = [(said.wrong_step or 0, len(tried.steps)) for tried, said in found]
    assert any(step == 1 for step, _ in steps)
    assert any(1 < step <= count for step, count in steps)
    assert any(step == count + 1 for step, count in steps)


@pytest.mark.parametrize(("task", "number"), cases("feedback"))
def test_a_feedback_example_names_a_part_of_its_step_and_keeps_the_answer(task: str, number: int) -> None:
    said = example(task, "feedback", number)
    tried, found = replied(said)
    assert not tried.malformed
    assert found.wrong_step is not None
    assert find_part(found.wrong_part, tried.line(found.wrong_step))
    assert reads_back(found, tried)
    answer = said["Reference answer"]
    assert not gives_away(task, answer, said, found)
    if task in SCRIPTED:
        asked = problem(task, said["Question"], answer)
        assert not registry.task(task).is_correct(asked, tried)
        assert first_wrong(task, asked.question, tried) == found.wrong_step
        right = registry.script(task).improve(asked, tried, found)
        assert isinstance(right, Attempt)
        assert registry.task(task).is_correct(asked, right)
    else:
        assert tried.final != answer


@pytest.mark.parametrize(("task", "number"), cases("improve"))
def test_an_improve_example_keeps_the_steps_and_is_right(task: str, number: int) -> None:
    said = example(task, "improve", number)
    tried, feedback = given(said)
    assert not tried.malformed
    assert not feedback.malformed
    step = feedback.wrong_step
    assert step is not None
    assert find_part(feedback.wrong_part, tried.line(step))
    assert said["Feedback"].endswith(".")
    assert not said["Feedback"].endswith("..")
    assert said["Kept steps"] == ("\n".join(tried.raw.split("\n")[: step - 1]) or "none")
    update = improved(said)
    assert not update.malformed
    assert update.steps[: step - 1] == tried.steps[: step - 1]
    assert update_flaw(Turn(attempt=tried, feedback=feedback, n_tokens=0), update, None) is None
    assert said["Reply"].split("\n")[-1].startswith("(Final response) ")
    assert update.final != tried.final
    assert not gives_away(task, str(update.final), said, feedback)
    if task in SCRIPTED:
        assert first_wrong(task, said["Question"], tried) == step
        assert first_wrong(task, said["Question"], update) is None


@pytest.mark.parametrize(("task", "number"), cases("improve"))
def test_an_improve_example_begins_with_the_label_of_the_wrong_line(task: str, number: int) -> None:
    said = example(task, "improve", number)
    tried, feedback = given(said)
    assert feedback.wrong_step is not None
    labels = [*(step.label for step in tried.steps), "Final response"]
    assert said["Reply"].startswith(f"({labels[feedback.wrong_step - 1]}) ")
