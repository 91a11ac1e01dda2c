"""Publishing to MLflow: from files, the same state once, never at the pipeline's expense. The only home of mlflow.

One parent run for each state of the pipeline (tag `tripost.state`), below it one run for each iteration. A parent
without `tripost.complete` was left by a publisher that was killed: it is deleted and published anew.
"""

import csv
import io
import json
import logging
import os
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import msgspec

from tripost import state as states
from tripost.params import Params
from tripost.records import Prediction
from tripost.shell.io import read_json, read_records
from tripost.state import IterationState, Output, PipelineState, masked, number

PORTS = {"http": 80, "https": 443, "postgresql": 5432, "mysql": 3306, "mssql": 1433}
WAIT_SECONDS = 60
ENVIRONMENT = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "5",
    "MLFLOW_HTTP_RESPECT_RETRY_AFTER_HEADER": "false",
}


class Published(msgspec.Struct, frozen=True):
    """`uri` is masked. `run_id` must not get into a stage's output: equal results are equal bytes."""

    uri: str
    experiment: str
    best: str
    warning: str | None
    published: bool = False
    created: bool = False
    run_id: str | None = None


def read_state(
    params: Params,
    *,
    repo: Path,
    eval_folder: Path,
    models_folder: Path,
    data_folder: Path,
    dvc_lock: Path,
    shared: Sequence[Path] = (),
) -> PipelineState:
    """The state of all evaluated iterations. Paths are relative to `repo`. Raises DataError."""
    digests = states.Digests(repo, dvc_lock)
    iterations, predictions = [], {}
    for t in sorted({"t0", *params.iterations}, key=number):
        evaluation, data, loss = eval_folder / t, data_folder / t, models_folder / f"{t}.loss.csv"
        if not (repo / evaluation / "metrics.json").exists():
            continue
        predictions[t] = list(read_records(repo / evaluation / "predictions.jsonl", Prediction))
        summaries = {"eval": evaluation / "metrics.json", "train": models_folder / f"{t}.json"}
        summaries |= {name: data / f"{name}.json" for name in ("rollout", "edit", "validate", "rebalance")}
        iterations.append(
            states.iteration_state(
                t,
                {name: read_json(repo / path) for name, path in summaries.items() if (repo / path).exists()},
                _losses(repo / loss),
                digests.outputs(*summaries.values(), evaluation / "predictions.jsonl", models_folder / t, loss),
                digests.outputs(data / "kept.jsonl", data / "examples.jsonl", count_rows=True),
            )
        )
    best, reason = states.best_iteration(predictions)
    flat = states.flat_params(params.model_dump(mode="json", by_alias=True))
    return PipelineState(flat, tuple(iterations), digests.outputs(*shared), params.final, best, reason)


def _losses(path: Path) -> list[tuple[int, float]]:
    if not path.exists():
        return []
    with path.open(newline="", encoding="utf-8") as file:
        return [(int(row["step"]), float(row["loss"])) for row in csv.DictReader(file)]


def publish(
    state: PipelineState, *, uri: str | None, experiment: str, repo: Path, lock_path: Path | None = None
) -> Published:
    """Publish a state that is not yet published. Whatever goes wrong with the store is one line on stderr."""
    home = _home(repo.absolute())
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    database = home / uri.removeprefix("sqlite:///") if uri.startswith("sqlite:///") else None
    target = f"sqlite:///{database.as_posix()}" if database else uri
    result = Published(masked(uri), experiment, state.best, state.warning)
    if state.warning:
        _say(state.warning)
    if why := unreachable(uri):
        _say(f"{result.uri} is not reachable ({why}); nothing published, run dvc repro -s -f track later")
        return result
    try:
        with _quiet(), _alone(lock_path or home / ".tripost/mlflow.lock"):
            if database and not (database.exists() and database.stat().st_size):
                _set_up(database)
            created, run_id = _find_or_create(state, target, experiment, repo, home if database else None)
    except Exception as error:
        password = urlsplit(uri).password or ""
        secrets = [password, unquote(password), *(os.environ.get(f"MLFLOW_TRACKING_{n}", "") for n in ("TOKEN", "PASSWORD"))]
        why = masked(" ".join(f"{type(error).__name__}: {error}".split()), secrets)[:300]
        _say(f"{result.uri} took not all of it ({why}); not published, run dvc repro -s -f track later")
        return result
    _say(f"state {state.key[:12]} {'published to' if created else 'is already in'} {result.uri}, experiment {experiment}")
    return msgspec.structs.replace(result, published=True, created=created, run_id=run_id)


def _find_or_create(
    state: PipelineState, uri: str, experiment: str, repo: Path, home: Path | None
) -> tuple[bool, str]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    known = client.get_experiment_by_name(experiment)
    artifacts = (home / "mlartifacts").as_uri() if home else None
    where = known.experiment_id if known else client.create_experiment(experiment, artifact_location=artifacts)
    for run in client.search_runs([where], f"tags.`tripost.state` = '{state.key}'", order_by=["start_time ASC"]):
        if run.data.tags.get("tripost.complete") == "true":
            return False, run.info.run_id
        for child in client.search_runs([where], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(run.info.run_id)
    name = os.environ.get("DVC_EXP_NAME") or f"tripost {state.key[:12]}"
    parent = client.create_run(where, run_name=name, tags={"tripost.state": state.key}).info.run_id
    tags = {"tripost.final": state.final, "tripost.best": state.best, "mlflow.note.content": state.reason}
    metrics = [(name, value, number(it.t)) for it in state.iterations for name, value in it.metrics.items()]
    _log(client, parent, metrics, state.params, tags | _origin(repo, state) | _digests(state.shared))
    for it in state.iterations:
        tags = {"mlflow.parentRunId": parent, "tripost.iteration": it.t}
        run_id = client.create_run(where, run_name=it.t, tags=tags).info.run_id
        _log_iteration(client, run_id, it)
        client.set_terminated(run_id)
    client.set_terminated(parent)
    client.set_tag(parent, "tripost.complete", "true")
    return True, parent


def _log_iteration(client: Any, run_id: str, it: IterationState) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    metrics = [(name, value, number(it.t)) for name, value in it.metrics.items()]
    metrics += [("loss", loss, step) for step, loss in it.loss]
    _log(client, run_id, metrics, {}, _digests((*it.outputs, *it.data_sets)))
    inputs = []
    for data in it.data_sets:
        source, profile = json.dumps({"uri": data.path}), json.dumps({"rows": data.rows, "digest by": data.by})
        name = f"{it.t}/{Path(data.path).stem}"
        dataset = Dataset(name, data.digest, "local", source, profile=profile)
        inputs.append(DatasetInput(dataset, [InputTag("mlflow.data.context", Path(data.path).stem)]))
    if inputs:
        client.log_inputs(run_id, inputs)


def _log(
    client: Any, run_id: str, metrics: Sequence[tuple[str, float, int]], params: dict[str, str], tags: dict[str, str]
) -> None:
    from mlflow.entities import Metric, Param, RunTag

    now = int(1000 * time.time())
    points = [Metric(name, value, now, step) for name, value, step in metrics]
    knobs, labels = [Param(*item) for item in params.items()], [RunTag(*item) for item in tags.items()]
    for i in range(0, len(points), 1000):
        client.log_batch(run_id, metrics=points[i : i + 1000], synchronous=True)
    for i in range(0, max(len(knobs), len(labels)), 100):
        client.log_batch(run_id, params=knobs[i : i + 100], tags=labels[i : i + 100], synchronous=True)


def _digests(outputs: Sequence[Output]) -> dict[str, str]:
    return {f"md5.{out.path}": out.digest + ("" if out.by == "dvc.lock" else " (of the file)") for out in outputs}


def _origin(repo: Path, state: PipelineState) -> dict[str, str]:
    """Git and DVC. Dirty: other changes than those that a run of the pipeline makes itself."""
    outputs = [*state.shared, *(out for it in state.iterations for out in (*it.outputs, *it.data_sets))]
    besides = [f":(exclude){name}" for name in ("dvc.lock", *(out.path for out in outputs))]
    tags = {"dvc.experiment": name} if (name := os.environ.get("DVC_EXP_NAME")) else {}
    try:
        sha, changes = (
            subprocess.run(
                ["git", "--no-optional-locks", *arguments], cwd=repo, capture_output=True, text=True, timeout=20, check=True
            ).stdout.strip()
            for arguments in (["rev-parse", "HEAD"], ["status", "--porcelain", "--", ".", *besides])
        )
    except (OSError, subprocess.SubprocessError):
        return tags
    return tags | {"git.sha": sha, "mlflow.source.git.commit": sha, "git.dirty": str(bool(changes)).lower()}


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow without its log lines, warnings and links; and quick to give up on a server."""
    before = dict(os.environ)
    os.environ.update({name: value for name, value in ENVIRONMENT.items() if name not in before})
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
        for name in ENVIRONMENT.keys() - before.keys():
            os.environ.pop(name, None)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    from filelock import FileLock, Timeout

    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        _say("waiting for another publisher")
        lock.acquire(timeout=WAIT_SECONDS)
    try:
        yield
    finally:
        lock.release()


def _set_up(database: Path) -> None:
    """Under another name first: a migration that is cut off leaves no half database behind."""
    _say(f"setting up {database.name} (once, about ten seconds)")
    database.parent.mkdir(parents=True, exist_ok=True)
    new = database.with_name(f"{database.name}.new-{os.getpid()}")
    command = [sys.executable, "-P", "-m", "mlflow", "db", "upgrade", f"sqlite:///{new.as_posix()}"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"mlflow db upgrade: {done.stderr.strip().splitlines()[-1:]}")
        new.replace(database)
    finally:
        new.unlink(missing_ok=True)


def _home(repo: Path) -> Path:
    """Where the store is: `dvc exp run --temp` runs in a folder that it throws away, below the real repository."""
    root = Path(os.environ.get("DVC_ROOT") or repo)
    return root if repo.is_relative_to(root / ".dvc" / "tmp") else repo


def unreachable(uri: str) -> str | None:
    """Why nobody answers at an address, or None. A proxy is asked for instead, where there is one."""
    try:
        parts = urlsplit(uri)
        scheme = parts.scheme.partition("+")[0]
        if scheme not in PORTS or not parts.hostname:
            return None
        proxy = urllib.request.getproxies().get(scheme)
        if proxy and scheme.startswith("http") and not urllib.request.proxy_bypass(parts.hostname):
            parts = urlsplit(proxy)
        socket.create_connection((parts.hostname, parts.port or PORTS[scheme]), timeout=3).close()
    except (OSError, ValueError) as error:
        return (error.strerror if isinstance(error, OSError) else None) or str(error) or type(error).__name__
    return None


def _say(line: str) -> None:
    print(f"track: {masked(line)}", file=sys.stderr, flush=True)
