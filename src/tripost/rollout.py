"""M_theta tries, in its own words: attempt, feedback, update, turn by turn, batched over problems.

The expert never steers decoding. M_0 knows no feedback yet and writes an attempt only, unless it is said to.
"""

from collections.abc import Sequence
from hashlib import blake2b, sha256

import msgspec

from tripost.interfaces import Completion, Decoder, Nobody, Sampling, Watcher
from tripost.layout import PAPER_LAYOUT, Layout
from tripost.lengths import with_token_counts
from tripost.params import MaxNewTokens, ModelParams, RolloutParams
from tripost.prompts import attempt_prompt, attempt_stops, feedback_prompt, feedback_stops, update_prompt
from tripost.records import Attempt, Feedback, Problem, Trajectory, Turn
from tripost.text import parse_attempt, read_written_feedback, unreadable_attempt, unreadable_feedback

M_THETA = "m_theta"
NOBODY = Nobody()


def rollout(
    m_theta: Decoder,
    problems: Sequence[Problem],
    params: RolloutParams,
    t: str,
    *,
    seed: int,
    own_feedback: bool,
    layout: Layout = PAPER_LAYOUT,
    watcher: Watcher = NOBODY,
) -> list[Trajectory]:
    """`samples` trajectories for each problem of this iteration's window, in the order of the problems."""
    chosen = window(problems, params.window, t)
    started = [(problem, f"{problem.id}/{t}/{k}") for problem in chosen for k in range(params.samples)]
    turns = converse(
        m_theta,
        [problem for problem, _ in started],
        temperature=params.temperature,
        limits=params.max_new_tokens,
        max_turns=params.max_turns if own_feedback else 0,
        seeds=[derive_seed(seed, identity) for _, identity in started],
        layout=layout,
        watcher=watcher,
    )
    rows = [
        trajectory(problem, identity, derive_seed(seed, identity), written)
        for (problem, identity), written in zip(started, turns, strict=True)
    ]
    return with_token_counts(rows, {problem.id: problem for problem in chosen}, m_theta.count_tokens, layout)


def knows_feedback(t: str, model: ModelParams) -> bool:
    """Whether the model of iteration t writes its own feedback: M_0 only where the base was taught to."""
    return t != "t0" or model.writes_feedback


def window(problems: Sequence[Problem], size: int | str, t: str) -> list[Problem]:
    """`size` problems of each task: the first for t1, the next for t2, ..., wrapping round."""
    if isinstance(size, str):
        return list(problems)
    chosen: list[Problem] = []
    for task in dict.fromkeys(problem.task for problem in problems):
        mine = [problem for problem in problems if problem.task == task]
        start = (int(t[1:]) - 1) * size
        chosen += [mine[(start + k) % len(mine)] for k in range(min(size, len(mine)))]
    return chosen


def converse(
    m_theta: Decoder,
    problems: Sequence[Problem],
    *,
    temperature: float,
    limits: MaxNewTokens,
    max_turns: int,
    seeds: Sequence[int],
    layout: Layout,
    watcher: Watcher = NOBODY,
) -> list[tuple[Turn, ...]]:
    """Attempt, then own feedback and own update until the feedback says correct, cannot be read, or `max_turns`
    feedbacks were written; `max_turns` 0 asks for the attempt alone. An unreadable attempt ends it, too."""
    to_attempt = Sampling(temperature=temperature, max_new_tokens=limits.attempt, stops=attempt_stops(layout))
    to_feedback = Sampling(temperature=temperature, max_new_tokens=limits.feedback, stops=feedback_stops(layout))

    def ask(rows: Sequence[int], prompts: list[str], sampling: Sampling, turn: str) -> list[Completion]:
        watcher.expect(len(rows))
        own_seeds = [derive_seed(seeds[row], turn) for row in rows]
        return m_theta.complete(prompts, sampling, own_seeds, watcher.advance)

    everyone = range(len(problems))
    written = ask(everyone, [attempt_prompt(p.question, layout) for p in problems], to_attempt, "y0")
    turns = [[Turn(attempt=_attempt(c, layout), feedback=None, n_tokens=0)] for c in written]
    live = [row for row in everyone if not turns[row][-1].attempt.malformed]
    for i in range(max_turns):
        prompts = [
            feedback_prompt(problems[row].question, turns[row][:-1], turns[row][-1].attempt, layout) for row in live
        ]
        for row, said in zip(live, ask(live, prompts, to_feedback, f"f{i}"), strict=True):
            feedback = _feedback(said, turns[row][-1].attempt, layout)
            turns[row][-1] = msgspec.structs.replace(turns[row][-1], feedback=feedback)
        live = [row for row in live if _goes_on(turns[row][-1])]
        if not live or i + 1 == max_turns:
            break
        prompts = [update_prompt(problems[row].question, turns[row][:-1], turns[row][-1], layout) for row in live]
        for row, said in zip(live, ask(live, prompts, to_attempt, f"y{i + 1}"), strict=True):
            turns[row].append(Turn(attempt=_attempt(said, layout), feedback=None, n_tokens=0))
        live = [row for row in live if not turns[row][-1].attempt.malformed]
    return [tuple(row) for row in turns]


def _attempt(said: Completion, layout: Layout) -> Attempt:
    """What ran into the limit is unreadable, also where the cut left something that parses; so are special tokens."""
    chat = layout.chat
    whole = said.finished and (chat is None or chat.content(said.text) == said.text)
    return parse_attempt(said.text, M_THETA) if whole else unreadable_attempt(said.text, M_THETA)


def _feedback(said: Completion, attempt: Attempt, layout: Layout) -> Feedback:
    if not said.finished:
        return unreadable_feedback(said.text, M_THETA)
    return read_written_feedback(said.text, attempt, M_THETA, layout)


def _goes_on(turn: Turn) -> bool:
    return turn.feedback is not None and not turn.feedback.malformed and not turn.feedback.says_correct


def trajectory(problem: Problem, identity: str, seed: int, turns: tuple[Turn, ...]) -> Trajectory:
    """A trajectory that carries its problem's id and its question's hash."""
    return Trajectory(
        id=identity,
        task=problem.task,
        problem_id=problem.id,
        question_sha256=sha256(problem.question.encode()).hexdigest(),
        seed=seed,
        turns=turns,
    )


def derive_seed(seed: int, *names: str) -> int:
    """A 63-bit seed for a problem, sample or turn, independent of order, batch and process."""
    digest = blake2b("\0".join([str(seed), *names]).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> 1
