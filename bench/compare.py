"""TriPosT against more rationales, with the same trained tokens: one task, several seeds, new problems.

    python -m bench.compare TASK [--seeds 101 102 103] [--count 1000] [--out .tripost/compare]
                            [--set rollout.window=600 train.learning_rate=1e-3 ...]

The profile is params.yaml, restricted to the task, with what --set changes. From one M_0 a seed, TriPosT runs its
iterations (`tripost.algorithm`, the same calls as the pipeline); the control is fine-tuned on reference rationales
until it has seen as many target tokens as TriPosT in each iteration. Both are evaluated on the same `count` problems,
greedy and without an oracle. Finished models and predictions are kept in --out, for the same profile and code.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
from ruamel.yaml import YAML

from tripost import registry
from tripost.algorithm import tripost
from tripost.evaluate import evaluate, final, metrics
from tripost.examples import rationale_examples
from tripost.experts import chosen
from tripost.layout import Layout
from tripost.models.base import copy_base, embedded_base
from tripost.models.chat import load_turns
from tripost.models.decoder import TorchDecoder
from tripost.models.learner import TorchLearner
from tripost.models.load import load_context_length
from tripost.params import Params, TrainParams
from tripost.params_file import check_params
from tripost.problems import collect
from tripost.rates import paired
from tripost.records import Example, Prediction
from tripost.shell.io import read_records, write_json, write_records
from tripost.shell.partial import fingerprint, program
from tripost.shell.progress import Progress
from tripost.shell.training import training_seed

COLUMNS = ("direct", "final", "fixed", "broken", "flagged_wrong", "located", "flagged_right", "malformed")


class Run:
    """One seed: its problems, M_0, and both arms, in one folder."""

    def __init__(self, params: Params, task: str, folder: Path) -> None:
        self.params, self.task, self.folder = params, task, folder
        self.tasks = registry.tasks_of(params.problems)
        self.experts = chosen.experts(self.tasks, params.problems)
        found = collect(self.tasks[task], params.problems[task], [], params.seed).problems
        self.train = [x for x in found if x.split == "train"]
        self.held_out = [x for x in found if x.split == "validation"]

    def learned(self, model: str, examples: list[Example], training: TrainParams, name: str) -> str:
        """The folder of the model taught on the examples, made where it is not there; its tokens beside it."""
        out = self.folder / name
        if not (out / "config.json").exists():
            learner = TorchLearner(model, training)
            with Progress(name, 0, "steps") as bar:

                def on_step(step: int, steps: int, loss: float, tokens: int) -> None:
                    bar.total = steps
                    bar.advance(1, tokens, f"loss {loss:.3f}")

                found = learner.fit(examples, training_seed(f"{self.params.seed} {name}"), on_step)
            write_json(self.folder / f"{name}.tokens.json", {"tokens": found.target_tokens, "steps": found.steps})
            learner.save(out)
        return str(out)

    def tokens(self, name: str) -> int:
        """Target tokens of a training."""
        return int(json.loads((self.folder / f"{name}.tokens.json").read_text())["tokens"])

    def measured(self, model: str, name: str, *, own_feedback: bool) -> list[Prediction]:
        """Predictions on the held-out problems."""
        path = self.folder / f"{name}.predictions.jsonl"
        if path.exists():
            return list(read_records(path, Prediction))
        decoder = TorchDecoder(model, self.params.eval.batch_size, self.params.model.decode_precision)
        layout = self.params.layout(load_turns(model))
        with Progress(f"eval {name}", 0, "completions") as bar:
            rows = evaluate(
                decoder, self.held_out, self.tasks, self.experts, self.params.eval, name,
                own_feedback=own_feedback, layout=layout, watcher=bar,
            )  # fmt: skip
        write_records(path, rows)
        return rows

    def arms(self, embedded: Path) -> dict[str, list[Prediction]]:
        """Name of a model -> its predictions."""
        base = self.folder / "base"
        if not base.exists():
            source = self.params.model.base
            chat = self.params.model.format == "chat_template"
            embedded_base(embedded, base) if source == "embedded" else copy_base(source, base, chat=chat)
        turns, precision = load_turns(base), self.params.model.decode_precision
        assert not isinstance(self.params.warmup, str)
        rationales = rationale_examples(self.train, Layout(chat=turns))
        m_0 = self.learned(str(base), rationales, self.params.warmup, "t0")
        found = {"t0": self.measured(m_0, "t0", own_feedback=False)}
        control = m_0
        for iteration, model in tripost(
            m_0, self.train, self.tasks, self.experts, self.params, load_context_length(base),
            decode=lambda folder: TorchDecoder(folder, self.params.rollout.batch_size, precision),
            learn=lambda folder, examples, t: self.learned(folder, examples, self.params.train, t), chat=turns,
        ):  # fmt: skip
            t = iteration.t
            found[t] = self.measured(model, t, own_feedback=True)
            same = self.params.train.model_copy(update={"epochs": None, "tokens": self.tokens(t)})
            control = self.learned(control, rationales, same, f"rationales-{t}")
            found[f"rationales-{t}"] = self.measured(control, f"rationales-{t}", own_feedback=False)
        return found


def report(found: dict[str, list[Prediction]], task: str) -> list[dict[str, Any]]:
    """One row a model: counts of n, and final answers paired with the control's."""
    rows = []
    for name, predictions in found.items():
        measures = metrics(predictions)[task]["seen"]
        row: dict[str, Any] = {"model": name, "n": measures["n"]}
        for column in COLUMNS:
            cell = msgspec.to_builtins(measures[column])
            row[column] = f"{cell['k']}/{cell['n']}"
        if f"rationales-{name}" in found:
            control = {p.problem_id: final(p) for p in found[f"rationales-{name}"]}
            mine = [p for p in predictions if p.seen]
            row["against control"] = msgspec.to_builtins(
                paired([control[p.problem_id] for p in mine], [final(p) for p in mine])
            )
        rows.append(row)
    return rows


def profile(raw: dict[str, Any], task: str, seed: int, count: int, changes: Sequence[str]) -> Params:
    """params.yaml for one task, a seed and as many held-out problems."""
    raw = json.loads(json.dumps(raw))
    section = raw["problems"][task]
    section.update(validation=count, test=0, unseen_validation=0, unseen_test=0)
    raw.update(seed=seed, problems={task: section})
    for change in changes:
        key, _, value = change.partition("=")
        at = raw
        *above, last = key.split(".")
        for name in above:
            at = at[name]
        at[last] = YAML(typ="safe", pure=True).load(value)
    return check_params(raw)


def main() -> None:
    """Run all seeds, and print what they came to."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("task")
    parser.add_argument("--seeds", type=int, nargs="+", default=[101, 102, 103])
    parser.add_argument("--count", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=Path(".tripost/compare"))
    parser.add_argument("--set", nargs="*", default=[], metavar="KEY=VALUE")
    arguments = parser.parse_args()
    raw = YAML(typ="safe", pure=True).load(Path("params.yaml").read_text(encoding="utf-8"))
    for seed in arguments.seeds:
        params = profile(raw, arguments.task, seed, arguments.count, arguments.set)
        profile_of = fingerprint(params, Path("models/embedded"), program())[:12]
        folder = arguments.out / f"{arguments.task}-{seed}-{profile_of}"
        folder.mkdir(parents=True, exist_ok=True)
        found = Run(params, arguments.task, folder).arms(Path("models/embedded"))
        rows = report(found, arguments.task)
        for row in rows:
            row["trained tokens"] = json.loads((folder / f"{row['model']}.tokens.json").read_text(encoding="utf-8"))
        write_json(folder / "report.json", {"rows": rows})
        for row in rows:
            sys.stdout.write(f"{seed} {json.dumps(row)}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
