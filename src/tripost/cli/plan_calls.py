"""What `tripost plan` expects of LLM experts: calls, tokens and money for each stage, task and role that asks one."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from tripost import registry
from tripost.chat.asking import UnansweredError
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Reply, Request
from tripost.edit import edit
from tripost.errors import DataError
from tripost.estimates import CALLS_FOR_WRONG, LEFT_OVER, WRONG_SHARE, Forecast, Seen, forecast
from tripost.experts import chosen, prompt_files
from tripost.experts.llm import told
from tripost.params import Params
from tripost.probes import ask, make_probes
from tripost.records import Probe, Problem, Trajectory
from tripost.registry import ROLES
from tripost.shell.io import load_problems, load_trajectories, read_json

DATA, EVAL, TRAIN = Path("data"), Path("eval"), Path("data/problems/train.jsonl")


class Reading:
    """An asker that asks nobody: what is in the log is there, the first request that is not ends a row."""

    at_once = 1

    def __init__(self, log: ReplyLog | None) -> None:
        self.log = log
        self.memo: dict[tuple[str, ...], Any] = {}
        self.hits = 0

    def answer(self, request: Request) -> Reply:
        """The reply of the log. Raises UnansweredError."""
        reply = self.log.get(request.key) if self.log else None
        if reply is None:
            raise UnansweredError(request)
        self.hits += 1
        return reply


class Missing(NamedTuple):
    """Of the rows of a task that lie there already: rows whose first missing reply is FBK's, IMP's; replies known;
    probes that FBK has yet to judge."""

    feedback: int
    improve: int
    known: int
    probes: int


def forecasts(params: Params, stages: Sequence[str], log: ReplyLog | None) -> Iterator[Forecast]:
    """One for each stage of `stages`, task and role that asks an LLM."""
    seen = _seen(log)
    for stage in stages:
        kind, _, t = stage.partition("@")
        t = t or "t0"
        if kind not in ("edit", "eval", "eval_t0"):
            continue
        for task, source in params.problems.items():
            asked = {
                role: next((name for name in getattr(source.expert, role) if name in params.llms), None)
                for role in (ROLES if kind == "edit" else ROLES[:1])
            }
            if not any(asked.values()):
                continue
            ready = kind == "edit" and f"rollout@{t}" not in stages and (DATA / t / "rollout.jsonl").exists()
            missing = _missing(params, task, t, log) if ready else None
            wrong, measured = _wrong(params, task, t, kind)
            for role, name in asked.items():
                if name is None:
                    continue
                first = getattr(source.expert, role)[0] == name
                calls, known = _calls(role, missing, wrong, 1.0 if first else LEFT_OVER)
                llm, endpoint = params.llms[name], params.calls.endpoints[name]
                yield forecast(
                    stage,
                    task,
                    role,
                    name,
                    llm,
                    endpoint,
                    calls=calls,
                    known=known,
                    seen=seen.get((task, role, llm.model)),
                    prompt_characters=_characters(llm.prompts, task, role),
                    batch=params.calls.batch,
                    measured=measured or missing is not None,
                )


def _calls(role: str, missing: Missing | None, wrong: float, share: float) -> tuple[float, float]:
    """Calls in all, and those of them that the log answers. `share`: of the questions that come to the LLM."""
    if missing is None:
        return wrong * CALLS_FOR_WRONG[role] * share, 0.0
    known = float(missing.known) / 2  # of both roles, about as many of each
    if role == "feedback":
        later = (CALLS_FOR_WRONG[role] - 1) * (missing.feedback + missing.improve) * share
        return known + missing.feedback + missing.probes + later, known
    return known + missing.improve + missing.feedback * CALLS_FOR_WRONG[role] * share, known


def _missing(params: Params, task: str, t: str, log: ReplyLog | None) -> Missing:
    """Edit, as far as the log's replies go."""
    problems = {x.id: x for x in load_problems(TRAIN).values() if x.task == task}
    tasks = {task: registry.task(task, params.problems[task].module)}
    asker, rows = Reading(log), list(_rows(t, task))
    if any(row.problem_id not in problems for row in rows):
        raise DataError(f"data/{t}/rollout.jsonl: not of these problems; run dvc repro")
    expert = chosen.expert(tasks[task], params.problems[task].expert, params.llms, asker)  # type: ignore[arg-type]  # it never waits
    counts = {"feedback": 0, "improve": 0}
    for row in rows:
        if need := _missing_reply(
            asker, partial(edit, row, problems[row.problem_id], tasks[task], expert, params.edit)
        ):
            counts[need] += 1
    probes = [
        _missing_reply(asker, partial(ask, probe, problems[probe.problem_id], tasks[task], expert))
        for probe in _probes(params, task, t)
    ]
    return Missing(counts["feedback"], counts["improve"], asker.hits, sum(map(bool, probes)))


def _missing_reply(asker: Reading, work: Callable[[], object]) -> str:
    """Whose reply the work is waiting for; "" where it has all it needs."""
    asker.memo = {}
    try:
        work()
    except UnansweredError as need:
        return need.request.purpose
    return ""


def _probes(params: Params, task: str, t: str) -> list[Probe]:
    """As the stage makes them."""
    problems, tasks = load_problems(TRAIN), registry.tasks_of(params.problems)
    by_answer = chosen.by_answer(params.problems, params.llms)
    rows = load_trajectories(DATA / t / "rollout.jsonl", problems)
    graded = chosen.graded(params.problems)
    made = make_probes(rows, problems, tasks, params.edit.probes, params.seed, t, graded, by_answer)
    return [probe for probe in made if probe.task == task]


def _rows(t: str, task: str) -> Iterator[Trajectory]:
    problems: dict[str, Problem] = load_problems(TRAIN)
    return (row for row in load_trajectories(DATA / t / "rollout.jsonl", problems) if row.task == task)


def _wrong(params: Params, task: str, t: str, kind: str) -> tuple[float, bool]:
    """Attempts with a wrong answer that the stage is going to meet, and whether that was measured."""
    source = params.problems[task]
    if kind == "edit":
        train = min(source.train, _there("train", task, source.train))
        window = params.rollout.window
        rows = (train if isinstance(window, str) else min(window, train)) * params.rollout.samples
        probes = params.edit.probes
        planted = probes.planted * min(train, max(probes.minimum, probes.share * rows)) if probes else 0.0
    else:
        rows, planted = _there("validation", task, source.validation + source.unseen_validation), 0.0
    share = _measured_share(params, task, t, kind)
    return rows * (WRONG_SHARE if share is None else share) + planted, share is not None


def _there(split: str, task: str, asked_for: int) -> int:
    """Problems of a task in this split, as many as there are; as asked for before they are made."""
    path = DATA / "problems" / f"{split}.jsonl"
    if not path.exists():
        return asked_for
    return sum(problem.task == task for problem in load_problems(path, may_be_empty=True).values())


def _measured_share(params: Params, task: str, t: str, kind: str) -> float | None:
    """Of readable first attempts that are wrong, in the nearest rollout or evaluation that lies there.

    The rollout of iteration k is by M_{k-1}, the evaluation of k by M_k.
    """
    newest = int(t[1:]) + (kind != "edit")
    for k in range(newest, -1, -1):
        share = _rollout_share(params, task, f"t{k}")
        if share is not None:
            return share
        direct: Any = _json(EVAL / f"t{k - 1}" / "metrics.json").get(task, {})
        try:
            return 1 - float(direct["total"]["direct"]["value"])
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _rollout_share(params: Params, task: str, t: str) -> float | None:
    if not (DATA / t / "rollout.jsonl").exists():
        return None
    problems = load_problems(TRAIN)
    grader = registry.task(task, params.problems[task].module)
    firsts = [(problems[row.problem_id], row.turns[0].attempt) for row in _rows(t, task)]
    wrong = sum(not attempt.malformed and not grader.is_correct(problem, attempt) for problem, attempt in firsts)
    return wrong / len(firsts) if firsts else None


def _json(path: Path) -> Mapping[str, Any]:
    try:
        return read_json(path)
    except DataError:
        return {}


def _seen(log: ReplyLog | None) -> dict[tuple[str, str, str], Seen]:
    """Mean tokens of the replies of a task, role and model."""
    sums: dict[tuple[str, str, str], list[int]] = {}
    for reply in log.replies() if log else ():
        found = sums.setdefault((reply.task, reply.purpose, reply.model), [0, 0, 0])
        for place, amount in enumerate((1, reply.prompt_tokens, reply.completion_tokens)):
            found[place] += amount
    return {name: Seen(n, prompt / n, completion / n) for name, (n, prompt, completion) in sums.items()}


def _characters(prompts: str | None, task: str, role: str) -> int:
    """Of the prompt file, and of a case like its examples."""
    prompt = prompt_files.load(prompts, task, role)
    examples = [len(told(example)) + len(example["Reply"]) for example in prompt.examples]
    return len(prompt.system) + sum(examples) + (sum(examples) // len(examples) if examples else 1_000)
