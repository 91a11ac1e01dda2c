"""The state of the pipeline as its files tell it: params, metrics, losses, digests, and where it was made."""

import csv
import os
import subprocess
from collections.abc import Sequence
from pathlib import Path

from tripost import state as states
from tripost.credentials import masked
from tripost.errors import DataError
from tripost.params import Params
from tripost.shell.io import load_predictions, read_json
from tripost.shell.lines import AGAIN, not_json
from tripost.state import IterationState, PipelineState, number

STAGES = ("rollout", "edit", "validate", "rebalance")


def read_state(params: Params, repo: Path, evaluations: Path, data: Path, models: Path, lock: Path) -> PipelineState:
    """The state of all evaluated iterations. The other paths are relative to `repo`. Raises DataError."""
    digests, iterations, predictions = states.Digests(repo, lock), [], {}
    for t in sorted({"t0", *params.iterations}, key=number):
        predicted, loss = evaluations / t / "predictions.jsonl", models / f"{t}.loss.csv"
        summaries = {"eval": evaluations / t / "metrics.json", "train": models / f"{t}.json"}
        if not (repo / summaries["eval"]).exists():
            continue
        summaries |= {name: data / t / f"{name}.json" for name in STAGES}
        contents = {name: read_json(repo / path) for name, path in summaries.items() if (repo / path).exists()}
        outputs = digests.outputs(*summaries.values(), predicted, models / t, loss)
        data_sets = digests.outputs(data / t / "kept.jsonl", data / t / "examples.jsonl", rows=True)
        metrics = states.iteration_metrics(contents)
        iterations.append(IterationState(t, metrics, _losses(repo / loss), outputs, data_sets))
        predictions[t] = load_predictions(repo / predicted)
    best, reason = states.best_iteration(predictions)
    flat = states.flat_params(params.model_dump(mode="json", by_alias=True))
    own = [str(lock), *(out.path for it in iterations for out in (*it.outputs, *it.data_sets))]
    return PipelineState(flat, tuple(iterations), params.final, best, reason, _origin(repo, own))


def _losses(path: Path) -> tuple[tuple[int, float], ...]:
    if not path.exists():
        return ()
    try:
        with path.open(newline="", encoding="utf-8") as file:
            table = csv.DictReader(file)
            header = table.fieldnames
            rows = tuple((int(row["step"]), float(row["loss"])) for row in table)
    except OSError as error:
        raise DataError(f"{path}: cannot be read: {error.strerror}; {AGAIN}") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path}: {not_json(error)}; {AGAIN}") from None
    except (ValueError, KeyError, TypeError, csv.Error) as error:
        why = f"no column {error}" if isinstance(error, KeyError) else str(error)
        raise DataError(f"{path}: not a table of step and loss ({why}); {AGAIN}") from None
    if not rows and header != ["step", "loss"]:  # a model that was not trained has no steps
        raise DataError(f"{path}: empty; {AGAIN}")
    return rows


def _origin(repo: Path, own: Sequence[str]) -> dict[str, str]:
    """Git and DVC. Dirty: other changes than those that a run of the pipeline makes itself."""
    tags = {"dvc.experiment": masked(name)} if (name := os.environ.get("DVC_EXP_NAME")) else {}
    besides = [f":(exclude){name}" for name in own]
    try:
        sha, changes = (
            subprocess.run(command, cwd=repo, capture_output=True, text=True, timeout=20, check=True).stdout.strip()
            for command in (
                ["git", "rev-parse", "HEAD"],
                ["git", "--no-optional-locks", "status", "--porcelain", "--", ".", *besides],
            )
        )
    except (OSError, subprocess.SubprocessError):
        return tags
    return tags | {"git.sha": sha, "mlflow.source.git.commit": sha, "git.dirty": str(bool(changes)).lower()}
