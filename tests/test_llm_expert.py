"""An LLM as FBK and IMP: who is told what, what is read out of a reply, and what is asked again."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.fakes import ARITHMETIC, arithmetic_problem, attempt
from tests.llm_cases import Answering
from tests.toy import raw_params
from tripost import registry
from tripost.chat.request import Failure, Request
from tripost.errors import UnknownNameError
from tripost.experts import chosen, prompt_files
from tripost.experts.llm import Llm
from tripost.experts.llm_replies import Verdict, read_update, read_verdict
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.params import ExpertParams, LlmParams
from tripost.records import Attempt, Feedback
from tripost.text import write_feedback

X = arithmetic_problem()
RIGHT = attempt(str(X.rationale))
WRONG = attempt(
    str(X.rationale)
    .replace("(-1 + 3) = 2.", "(-1 + 3) = 4.")
    .replace("(2 - 7) = -5", "(4 - 7) = -3")
    .replace("is -5", "is -3")
)
STEP = next(k for k, step in enumerate(WRONG.steps, start=1) if "(-1 + 3) = 4" in step.text)
LABEL = WRONG.steps[STEP - 1].label
FEEDBACK = write_feedback(WRONG, STEP, "(-1 + 3) = 4", "(-1 + 3) is 2", "llm:m")
REST = "\n".join(RIGHT.raw.split("\n")[STEP - 1 :])
LINES = f"Step: {LABEL}\nPart: (-1 + 3) = 4\nReason: (-1 + 3) is 2"


def llm(say: object, **changes: object) -> tuple[Llm, Answering]:
    asker = Answering(say)  # type: ignore[arg-type]  # a function, or what it is to say
    raw = {**raw_params()["llms"]["llm"], "model": "m", **changes}
    return Llm(registry.task(ARITHMETIC), "llm", LlmParams.model_validate(raw, strict=True), asker), asker


def replies(*said: object) -> object:
    """One after the other."""
    rest = iter(said)
    return lambda request: next(rest)


def told(request: Request) -> str:
    return request.messages[-1].content


def test_a_right_answer_costs_no_call() -> None:
    expert, asker = llm(replies())
    assert expert.feedback(X, RIGHT) == write_feedback(RIGHT, None, "", "", "grader")
    assert asker.asked == []


def test_a_row_that_the_filter_drops_anyway_costs_no_call() -> None:
    expert, asker = llm(replies())
    broken = attempt(WRONG.raw.replace("(-1 + 3)", "\ufffd(-1 + 3)", 1))
    verdict = expert.feedback(X, broken)
    assert isinstance(verdict, CannotJudge)
    assert (verdict.flaw, asker.asked) == ("leftovers", [])


def test_feedback_is_the_reply_in_our_words_and_its_authors_name() -> None:
    expert, asker = llm(replies(LINES))
    assert expert.feedback(X, WRONG) == FEEDBACK
    request = asker.asked[0]
    assert (request.temperature, request.max_tokens, request.sample) == (0.0, 300, 0)
    assert msgspec.json.decode(request.schema)["required"] == ["step", "part", "reason"]
    assert [message.role for message in request.messages] == ["system", *["user", "assistant"] * 3, "user"]
    assert f"### Reference answer\n{X.answer}" in told(request)


def test_the_author_of_the_update_is_the_llm_and_it_is_never_told_the_answer() -> None:
    expert, asker = llm(replies(REST))
    update = expert.improve(msgspec.structs.replace(X, answer="THE ANSWER", rationale="THE WAY"), WRONG, FEEDBACK)
    assert isinstance(update, Attempt)
    assert (update.raw, update.author) == (RIGHT.raw, "llm:m")
    asked = msgspec.json.encode(asker.asked[0]).decode()
    assert "THE ANSWER" not in asked
    assert "THE WAY" not in asked
    assert "Reference answer" not in asked
    assert asker.asked[0].temperature == 0.7
    assert asker.asked[0].schema == ""


@pytest.mark.parametrize(
    "text",
    [
        LINES,
        f"**Step:** ({LABEL})\n**Part:** `(-1 + 3) = 4`\n**Reason:** because (-1 + 3) is 2.",
        f'{{"step": "{LABEL}", "part": "(-1 + 3) = 4", "reason": "(-1 + 3) is 2."}}',
        f'```json\n{{"step": {LABEL}, "part": "(-1 + 3) = 4", "reason": "(-1 + 3) is 2"}}\n```'.replace(
            f": {LABEL},", f': "{LABEL}",'
        ),
        f'Here you are: {{"first_wrong_step": "step ({LABEL})", "wrong_part": "\\"(-1 + 3) = 4\\"", '
        '"the_reason": "(-1 + 3) is 2"} Good luck!',
        f"<think>Step: 99\nPart: no\nReason: no</think>\n\n{LINES}",
        FEEDBACK.text,
        f"  - step : Step {LABEL}\n  - part : “(-1 + 3) = 4”\n  - reason : (-1 + 3) is 2  ",
    ],
)
def test_what_a_model_makes_of_the_form_is_read(text: str) -> None:
    found = read_verdict(text, WRONG)
    assert found == Verdict(STEP, "(-1 + 3) = 4", "(-1 + 3) is 2")


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("I think it is fine.", "it does not name step, part and reason"),
        ("Step: 99\nPart: x\nReason: y", "the attempt has no step '99'"),
        (f"Step: {LABEL}\nPart: (-1 + 3) = 5\nReason: y", "does not stand word for word"),
        (f"Step: {LABEL}\nPart: (-1 + 3) = 4\nReason: ", "the reason is missing"),
        (f"Step: {LABEL}\nPart: (-1 + 3) = 4\nReason: <|im_end|>", "special tokens"),
        (f"Step: {LABEL}\nPart: (-1 + 3) = 4\nReason: {'x' * 700}", "longer than 600"),
        ("{" * 10_000, "it does not name step, part and reason"),
        ('{"step": ["1"], "part": {}, "reason": 3}', "the attempt has no step"),
    ],
)
def test_what_cannot_be_used_is_said_to_the_model(text: str, why: str) -> None:
    found = read_verdict(text, WRONG)
    assert isinstance(found, str)
    assert why in found


@given(st.text(max_size=300))
def test_no_reply_breaks_the_readers(text: str) -> None:
    found = read_verdict(text, WRONG)
    assert isinstance(found, Verdict | str)
    update = read_update(text, WRONG, STEP, "llm:m")
    assert update.malformed or update.steps[: STEP - 1] == WRONG.steps[: STEP - 1]


@pytest.mark.parametrize(
    "text",
    [
        REST,
        RIGHT.raw,
        f"```\n{REST}\n```",
        f"Sure, here it is:\n\n{REST}\n\nI hope this helps!",
        f"<think>hm</think>{REST}",
    ],
)
def test_an_update_is_joined_to_the_kept_steps(text: str) -> None:
    assert read_update(text, WRONG, STEP, "llm:m").raw == RIGHT.raw


def test_an_unusable_reply_is_asked_for_again_with_the_reason() -> None:
    expert, asker = llm(replies("Hm.", LINES))
    assert expert.feedback(X, WRONG) == FEEDBACK
    again = asker.asked[1]
    assert again.sample == 1
    assert [message.content for message in again.messages[-2:]] == [
        "Hm.",
        "This cannot be used: it does not name step, part and reason. Reply again, in the same form and with nothing "
        "else.",
    ]
    assert again.key != asker.asked[0].key


@pytest.mark.parametrize(
    ("reply", "flaw"),
    [
        ("nothing of use", "malformed_feedback"),
        (f"Step: {LABEL}\nPart: nowhere\nReason: y", "part_not_in_step"),
        (f"Step: {LABEL}\nPart: (-1 + 3) = 4\nReason: the result is 4711", "reveals_answer"),
        (("", "length", ""), "length"),
        (("  ", "stop", ""), "empty"),
    ],
)
def test_feedback_that_no_try_brings_is_dropped_with_its_reason(reply: object, flaw: str) -> None:
    expert, asker = llm(replies(reply, reply, reply))
    verdict = expert.feedback(msgspec.structs.replace(X, answer="4711"), WRONG)
    assert isinstance(verdict, CannotJudge)
    assert verdict.flaw == flaw
    assert len(asker.asked) == 3


@pytest.mark.parametrize(
    "reason",
    [
        "the options say that (B) is right",
        "it is the 6th of May, so 05/06/2020 it is",
        "05 / 06 - 2020",
        "wait. Updated Answer: no",
        "All steps and the final response are correct.",
        "it is\u200b wrong",
    ],
)
def test_a_reason_that_says_it_all_the_same_is_refused(reason: str) -> None:
    x = msgspec.structs.replace(X, answer="(B)", question="Which?\nOptions:\n(A) 04/06/2020\n(B) 05/06/2020")
    said = f"Step: {LABEL}\nPart: (-1 + 3) = 4\nReason: {reason}"
    expert, _ = llm(replies(said, said, said))
    verdict = expert.feedback(x, WRONG)
    assert isinstance(verdict, CannotJudge)
    assert verdict.flaw in ("reveals_answer", "malformed_feedback")


@pytest.mark.parametrize(
    ("reply", "flaw"),
    [
        ("I would rather not.", "malformed_attempt"),
        ("\n".join(WRONG.raw.split("\n")[STEP - 1 :]), "unchanged_update"),
        (REST.replace("= 2", "= 2, not (-1 + 3) = 4", 1), "kept_wrong_part"),
    ],
)
def test_an_update_that_no_try_brings_is_dropped_with_its_reason(reply: str, flaw: str) -> None:
    expert, asker = llm(replies(reply, reply, reply))
    update = expert.improve(X, WRONG, FEEDBACK)
    assert isinstance(update, CannotImprove)
    assert update.flaw == flaw
    assert len(asker.asked) == 3


@pytest.mark.parametrize(
    ("reply", "flaw"),
    [
        (("", "stop", "I cannot help with that."), "refusal"),
        (("", "content_filter", ""), "content_filter"),
        (Failure("content_filter", "400", 1), "content_filter"),
        (Failure("timeout", "no answer in 5 s", 8), "expert_failed"),
    ],
)
def test_what_asking_again_cannot_change_is_asked_once(reply: object, flaw: str) -> None:
    expert, asker = llm(replies(reply))
    verdict = expert.feedback(X, WRONG)
    assert isinstance(verdict, CannotJudge)
    assert verdict.flaw == flaw
    assert len(asker.asked) == 1
    expert, _ = llm(replies(reply))
    update = expert.improve(X, WRONG, FEEDBACK)
    assert isinstance(update, CannotImprove)
    assert update.flaw == flaw


def test_an_llm_that_finds_nothing_leaves_it_to_the_next_one() -> None:
    small, asked_small = llm(replies("Step: none\nPart: none\nReason: none"))
    large, _ = llm(replies(LINES))
    both = chosen.Chosen([chosen.Named("small", small), chosen.Named("large", large)], [])
    assert both.feedback(X, WRONG) == FEEDBACK
    assert len(asked_small.asked) == 1


def test_an_llm_that_got_no_answer_is_not_passed_over() -> None:
    small, _ = llm(replies(Failure("timeout", "", 8)))
    large, asked = llm(replies(LINES))
    both = chosen.Chosen([chosen.Named("small", small), chosen.Named("large", large)], [])
    verdict = both.feedback(X, WRONG)
    assert isinstance(verdict, CannotJudge)
    assert verdict.flaw == "expert_failed"
    assert asked.asked == []


def test_without_an_asker_it_knows_nothing() -> None:
    expert, _ = llm(replies())
    expert.asker = None
    assert isinstance(expert.feedback(X, WRONG), CannotJudge)
    assert isinstance(expert.improve(X, WRONG, FEEDBACK), CannotImprove)
    assert isinstance(expert.feedback(X, RIGHT), Feedback)


def test_names_of_llms_are_experts_and_what_is_missing_is_said() -> None:
    task, params = registry.task(ARITHMETIC), LlmParams.model_validate(raw_params()["llms"]["llm"], strict=True)
    made = chosen.expert(task, ExpertParams(feedback=("script", "big"), improve=("big",)), {"big": params})
    assert [named.name for named in made.judges] == ["script", "big"]
    assert made.menders[0].expert is made.judges[1].expert
    with pytest.raises(UnknownNameError, match="unknown expert 'big'"):
        chosen.expert(task, ExpertParams(feedback=("big",), improve=("big",)))


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("## Example\n", "nothing stands before the first example"),
        ("Do it.\n## Example\n### Question\nq\n", "example 1 needs the sections ### Question, ### Reference answer"),
        (
            "Do it.\n## Example\n### Question\nq\n### Reference answer\n\n### Attempt\na\n### Reply\nr",
            "each with text",
        ),
    ],
)
def test_a_prompt_file_of_another_shape_is_refused(text: str, says: str) -> None:
    with pytest.raises(UnknownNameError, match=says):
        prompt_files.read(text, "feedback", "mine/feedback.md")
