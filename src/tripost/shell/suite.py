"""What the gate expects of the table of `tripost.columns`, in plain words and in Great Expectations' terms.

Great Expectations passes much in silence: an empty table, nulls, a row condition that no row meets, `inf` above
a lone minimum. So no rule here has a row condition, every number has two bounds, every column has to be there
and without nulls, and tasks are counted in a table of their own, where one without rows has a row that says 0.
"""

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from tripost.columns import COLUMNS
from tripost.params import ValidateParams

Severity = Literal["critical", "warning"]
MAX_ROWS = 10**9


class Rule(msgspec.Struct, frozen=True):
    """One expectation of Great Expectations: its class and arguments."""

    kind: str
    arguments: Mapping[str, object]


class Check(msgspec.Struct, frozen=True):
    """Rules that stand or fall together, under a name and with a meaning for people."""

    name: str
    meaning: str
    rules: Sequence[Rule]
    severity: Severity = "critical"
    remedy: str = ""


def row_checks(tasks: Sequence[str], max_turns: int, context: int) -> list[Check]:
    """What holds of the table of trajectories."""
    complete = Rule("ExpectTableColumnsToMatchSet", {"column_set": list(COLUMNS), "exact_match": True})
    no_nulls = [Rule("ExpectColumnValuesToNotBeNull", {"column": column}) for column in COLUMNS]
    unique = Rule("ExpectColumnValuesToBeUnique", {"column": "id"})
    some_counted = {"column": "counted", "value_set": [True]}
    in_context = [_between("tokens_min", 1, context), _between("tokens_max", 1, context)]
    same_problem = [_only("question_matches", True), _equal("task", "problem_task")]
    ends = [_equal("ends_all_correct", "must_end_all_correct"), _equal("ends_found_wrong", "salvaged")]
    return [
        Check("not_empty", "there is at least one trajectory", [_rows(1)]),
        Check("columns_complete", "the table has every column of the gate and no other", [complete]),
        Check("no_nulls", "no column has an empty place", no_nulls),
        Check("ids_unique", "no id stands there twice", [unique]),
        Check("tasks_known", "every trajectory is of a task that is trained", [_only("task", *tasks)]),
        Check("question_matches", "question and task are those of the problem", same_problem),
        Check("train_only", "every problem is of the training split", [_only("split", "train")]),
        Check("not_held_out", "no question is asked in validation or test", [_only("held_out", False)]),
        Check("turns_bounded", f"a trajectory has 1 to {max_turns} turns", [_between("n_turns", 1, max_turns)]),
        Check("texts_readable", "every attempt and feedback has the form to be learnt", [_none("unreadable")]),
        Check("fields_match_text", "the stored fields say what the text says", [_none("stale_fields")]),
        Check("no_leftovers", "no marker, special token or broken character in a text", [_none("leftovers")]),
        Check(
            "answers_match",
            "the final answer is the reference answer, or the row salvaged",
            [_equal("final_answer", "reference_answer")],
        ),
        Check(
            "starts_wrong",
            "the first attempt is judged wrong just where it is updated, or the row salvaged",
            [_equal("starts_wrong", "may_start_wrong")],
        ),
        Check(
            "ends_correct", "the last feedback is the fixed one that all is correct; a salvaged row's is not", ends
        ),
        Check("correct_only_last", "no earlier feedback says that all is correct", [_none("early_all_correct")]),
        Check("steps_exist", "a feedback names a step that the attempt has", [_none("missing_steps")]),
        Check("parts_quoted", "a feedback quotes a part that stands in the step it names", [_none("missing_parts")]),
        Check("steps_kept", "an update keeps all steps before the wrong one to the letter", [_none("lost_steps")]),
        Check("wrong_line_changed", "an update writes the wrong step anew", [_none("kept_wrong_lines")]),
        Check("tokens_fit", f"token counts lie between 1 and the context of {context}", in_context),
        Check("tokens_recounted", "token counts of a sample are those of its texts", [_none("miscounted_turns")]),
        Check(
            "tokens_sampled",
            "there is a sample whose tokens were counted anew",
            [Rule("ExpectColumnDistinctValuesToContainSet", some_counted)],
            "warning",
        ),
    ]


def task_checks(params: ValidateParams, rows: int) -> list[Check]:
    """What holds of the table of tasks; a task without rows stands there, too."""
    low, high = params.improves_share
    enough = f"every task has at least {params.min_rows} trajectories"
    share = f"{low:g} to {high:g} of the trajectories of a task improve"
    return [
        Check("rows_per_task", enough, [_rows(1), _between("rows", params.min_rows, max(params.min_rows, rows))]),
        Check("improves_share", share, [_rows(1), _between("share", low, high)], "warning"),
    ]


def expert_checks(params: ValidateParams) -> list[Check]:
    """What holds of the table of experts.

    Few probes say little, so an expert fails only where the whole exact 95 % interval lies on the wrong side of the
    bound: one miss of five is no failure, a hundred of five hundred are.
    """
    recall, alarms = params.min_recall, params.max_false_alarms
    look = "read data/<t>/probes.jsonl (tripost show <t> --probes), mend the expert or take another"
    none = "give the task rationales, or problems that the model can solve"
    return [
        Check(
            "expert_recall",
            f"the expert finds {recall:g} of the errors that were planted, allowing for chance",
            [_rows(1), _between("recall_at_most", recall, 1)],
            remedy=f"{look}, or change validate.min_recall",
        ),
        Check(
            "expert_false_alarms",
            f"the expert calls at most {alarms:g} of the right attempts wrong, allowing for chance",
            [_rows(1), _between("false_alarms_at_least", 0, alarms)],
            remedy=f"{look}, or change validate.max_false_alarms",
        ),
        Check(
            "expert_probed",
            "every task with more than a grader has planted errors and right attempts to measure its expert with",
            [_rows(1), _between("planted", 1, MAX_ROWS), _between("clean", 1, MAX_ROWS)],
            "warning",
            remedy=none,
        ),
    ]


def _rows(least: int) -> Rule:
    return Rule("ExpectTableRowCountToBeBetween", {"min_value": least, "max_value": MAX_ROWS})


def _between(column: str, low: float, high: float) -> Rule:
    return Rule("ExpectColumnValuesToBeBetween", {"column": column, "min_value": low, "max_value": high})


def _none(column: str) -> Rule:
    return _between(column, 0, 0)


def _only(column: str, *values: object) -> Rule:
    return Rule("ExpectColumnValuesToBeInSet", {"column": column, "value_set": list(values)})


def _equal(a: str, b: str) -> Rule:
    return Rule("ExpectColumnPairValuesToBeEqual", {"column_A": a, "column_B": b, "ignore_row_if": "neither"})
