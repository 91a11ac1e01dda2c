"""Publishing to MLflow: from files, the same state once, never at the pipeline's expense. The only home of mlflow.

One parent run for each state of the pipeline (tag `tripost.state`), below it one run for each iteration. A parent
without `tripost.complete` was left by a publisher that was killed: it is deleted and published anew.
"""

import io
import json
import logging
import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
import warnings
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, redirect_stdout
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any
from urllib.parse import urlsplit

import msgspec
from filelock import FileLock, Timeout

from tripost.chat.request import Reply
from tripost.credentials import masked, masked_address, secrets_of
from tripost.shell.home import home
from tripost.shell.stage import PRCTL, end_with
from tripost.shell.traces import log_calls
from tripost.state import IterationState, PipelineState, number

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
    published: bool = False
    created: bool = False
    run_id: str | None = None


def publish(
    state: PipelineState,
    *,
    uri: str | None,
    experiment: str,
    repo: Path,
    calls: Mapping[str, Sequence[Reply]] = MappingProxyType({}),
) -> Published:
    """Publish a state that is not yet published. Whatever goes wrong with the store is one line on stderr.

    `calls`: some of each iteration's calls of LLMs, shown as traces.
    """
    place = home(repo.absolute())
    uri = uri or os.environ.get("MLFLOW_TRACKING_URI") or "sqlite:///mlflow.db"
    in_file = uri.startswith("sqlite:///") and "?" not in uri
    database = place / uri.removeprefix("sqlite:///") if in_file else None
    result = Published(masked_address(uri))
    if state.warning:
        _say(state.warning)
    if why := unreachable(uri):
        _say(f"{result.uri} is not reachable ({why}); nothing published, run dvc repro -s -f track later")
        return result
    try:
        with _quiet(), _alone(place / ".tripost" / "mlflow.lock"):
            if database and not (database.exists() and database.stat().st_size):
                _set_up(database)
            target = f"sqlite:///{database.as_posix()}" if database else uri
            artifacts = (place / "mlartifacts").as_uri() if database else None
            created, run_id = _find_or_create(state, target, experiment, artifacts, calls)
    except Exception as error:  # mlflow and its stores raise what they like; what is not published now is later
        why = masked(" ".join(f"{type(error).__name__}: {error}".split()), _secrets(uri))[:300]
        _say(f"{result.uri} did not take it ({why}); not published, run dvc repro -s -f track later")
        return result
    done = "published to" if created else "stands already in"
    _say(f"state {state.key[:12]} {done} {result.uri}, experiment {experiment}")
    return Published(result.uri, published=True, created=created, run_id=run_id)


def _find_or_create(
    state: PipelineState,
    uri: str,
    experiment: str,
    artifacts: str | None,
    calls: Mapping[str, Sequence[Reply]],
) -> tuple[bool, str]:
    from mlflow import MlflowClient

    client = MlflowClient(tracking_uri=uri)
    known = client.get_experiment_by_name(experiment)
    where = known.experiment_id if known else client.create_experiment(experiment, artifact_location=artifacts)
    for run in client.search_runs([where], f"tags.`tripost.state` = '{state.key}'", order_by=["start_time ASC"]):
        if run.data.tags.get("tripost.complete") == "true":
            return False, run.info.run_id
        for child in client.search_runs([where], f"tags.`mlflow.parentRunId` = '{run.info.run_id}'"):
            client.delete_run(child.info.run_id)
        client.delete_run(run.info.run_id)
    name = state.tags.get("dvc.experiment", f"tripost {state.key[:12]}")
    parent = client.create_run(where, run_name=name, tags={"tripost.state": state.key}).info.run_id
    metrics = [(name, value, number(it.t)) for it in state.iterations for name, value in it.metrics.items()]
    told = {"tripost.final": state.final, "tripost.best": state.best, "mlflow.note.content": state.reason}
    _log(client, parent, metrics, state.params, state.tags | told)
    for it in state.iterations:
        tags = {"mlflow.parentRunId": parent, "tripost.iteration": it.t}
        run_id = client.create_run(where, run_name=it.t, tags=tags).info.run_id
        _log_iteration(client, run_id, it)
        log_calls(uri, where, {"tripost.state": state.key, "mlflow.sourceRun": run_id}, it.t, calls.get(it.t, ()))
        client.set_terminated(run_id)
    client.set_terminated(parent)
    client.set_tag(parent, "tripost.complete", "true")
    return True, parent


def _log_iteration(client: Any, run_id: str, it: IterationState) -> None:
    from mlflow.entities import Dataset, DatasetInput, InputTag

    inputs = []
    for data in it.data_sets:
        name, source = Path(data.path).stem, json.dumps({"uri": data.path})
        profile = json.dumps({"rows": data.rows, "digest by": data.by})
        dataset = Dataset(f"{it.t}/{name}", data.digest, "local", source, profile=profile)
        inputs.append(DatasetInput(dataset, [InputTag("mlflow.data.context", name)]))
    if inputs:
        client.log_inputs(run_id, inputs)
    outputs = (*it.outputs, *it.data_sets)
    tags = {f"md5.{out.path}": out.digest for out in outputs} | {f"md5_by.{out.path}": out.by for out in outputs}
    metrics = [(name, value, number(it.t)) for name, value in it.metrics.items()]
    _log(client, run_id, [*metrics, *(("loss", loss, step) for step, loss in it.losses)], {}, tags)


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


@contextmanager
def _quiet() -> Iterator[None]:
    """MLflow without its log lines, warnings and links; and quick to give up on a server."""
    ours = {name: value for name, value in ENVIRONMENT.items() if name not in os.environ}
    os.environ.update(ours)
    logging.disable(logging.CRITICAL)
    try:
        with warnings.catch_warnings(action="ignore"), redirect_stdout(io.StringIO()):
            yield
    finally:
        logging.disable(logging.NOTSET)
        for name in ours:
            os.environ.pop(name, None)


@contextmanager
def _alone(path: Path) -> Iterator[None]:
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        _say("waiting for another publisher")
        lock.acquire(timeout=60)
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
    ends_with_us = partial(end_with, os.getpid()) if PRCTL else None
    done = subprocess.run(command, capture_output=True, text=True, check=False, preexec_fn=ends_with_us)
    if done.returncode:
        new.unlink(missing_ok=True)
        raise OSError(f"mlflow db upgrade: {done.stderr.strip()[-200:]}")
    new.replace(database)


def _secrets(uri: str) -> list[str]:
    """What no message may hold."""
    return [*secrets_of(uri), *(os.environ.get(f"MLFLOW_TRACKING_{n}", "") for n in ("TOKEN", "PASSWORD"))]


def unreachable(uri: str) -> str | None:
    """Why nobody answers at an http(s) address, or None. Behind a proxy only the request itself can tell."""
    if re.match(r"[\w.-]+:\d+(/|$)", uri):
        return f"no scheme; write http://{uri}"
    try:
        parts = urlsplit(uri)
        if parts.scheme not in {"http", "https"} or urllib.request.getproxies().get(parts.scheme):
            return None
        port = parts.port or {"http": 80, "https": 443}[parts.scheme]
        socket.create_connection((parts.hostname or "", port), timeout=3).close()
    except (OSError, ValueError) as error:
        return getattr(error, "strerror", None) or str(error) or type(error).__name__
    return None


def _say(line: str) -> None:
    print(f"track: {masked(line)}", file=sys.stderr, flush=True)
