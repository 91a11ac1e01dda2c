"""Publishing to real stores: a sqlite file, a dead port, a server that refuses. Two publishers set up the store."""

import os
import socket
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import msgspec
import pytest
from mlflow import MlflowClient
from mlflow.entities import ViewType

from tests.test_reply_log import reply
from tests.test_state import predictions
from tripost.errors import DataError
from tripost.evaluate import metrics
from tripost.params import Params
from tripost.params_file import load_params
from tripost.shell.io import write_json, write_records, write_text
from tripost.shell.snapshot import read_state
from tripost.shell.tracking import publish
from tripost.state import PipelineState

ROOT = Path(__file__).resolve().parent.parent
OUTSIDE = ("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_TOKEN", "DVC_ROOT", "DVC_EXP_NAME", "http_proxy", "HTTP_PROXY")
FOLDERS = (Path("eval"), Path("data"), Path("models"), Path("dvc.lock"))
PUBLISH = f"""
import sys
from pathlib import Path
from tripost.params_file import load_params
from tripost.shell.snapshot import read_state
from tripost.shell.tracking import publish
repo, params = Path(sys.argv[1]), load_params(Path({str(ROOT / "params.yaml")!r}))
state = read_state(params, repo, *map(Path, ("eval", "data", "models", "dvc.lock")))
publish(state, uri=None, experiment="two", repo=repo)
"""


def params(**changes: Any) -> Params:
    return load_params(ROOT / "params.yaml").model_copy(update=changes)


def write_pipeline(repo: Path) -> None:
    """t0 and t1 as the stages leave them; t2 and t3 have not run yet."""
    before = predictions(40)
    for t, right in (("t0", 40), ("t1", 60)):
        rows = predictions(right)
        write_records(repo / f"eval/{t}/predictions.jsonl", rows)
        write_json(repo / f"eval/{t}/metrics.json", metrics(rows, None if t == "t0" else before))
        write_text(
            repo / f"models/{t}.loss.csv", "step,loss\n" + "".join(f"{i},{9 / i:.6f}\n" for i in range(1, 1501))
        )
        write_json(repo / f"models/{t}.json", {"steps": 1500, "target_tokens": 90000})
        write_text(repo / f"models/{t}/config.json", "{}")
    write_json(repo / "data/t1/validate.json", {"rows_in": 9, "rows_out": 6, "dropped": {"ends_wrong": 3}})
    write_text(repo / "data/t1/kept.jsonl", "{}\n" * 6)
    write_text(repo / "data/t1/examples.jsonl", "{}\n" * 12)


@pytest.fixture(scope="module")
def repo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A git repository with the pipeline's outputs."""
    folder = tmp_path_factory.mktemp("repo")
    (folder / ".gitignore").write_text("/mlflow.db*\n/.tripost\n")
    git = ["git", "-c", "user.name=n", "-c", "user.email=e@x"]
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "-m", "x", "--no-gpg-sign"]):
        subprocess.run([*git, *command], cwd=folder, check=True)
    write_pipeline(folder)
    return folder


@pytest.fixture(scope="module")
def said(repo: Path) -> str:
    """What two publishers say that find no store and start at the same time."""
    environment = {name: value for name, value in os.environ.items() if name not in OUTSIDE}
    command = [sys.executable, "-c", PUBLISH, str(repo)]
    both = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True, env=environment) for _ in "ab"]
    lines = "".join(process.communicate(timeout=200)[1] for process in both)
    assert [process.returncode for process in both] == [0, 0]
    return lines


@pytest.fixture(autouse=True)
def _no_outside_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (
        "MLFLOW_TRACKING_URI",
        "MLFLOW_TRACKING_TOKEN",
        "DVC_ROOT",
        "DVC_EXP_NAME",
        "http_proxy",
        "HTTP_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="module")
def client(repo: Path, said: str) -> MlflowClient:
    assert said
    return MlflowClient(tracking_uri=f"sqlite:///{repo}/mlflow.db")


def state_of(repo: Path, **changes: Any) -> PipelineState:
    return read_state(params(**changes), repo, *FOLDERS)


def runs_of(client: MlflowClient, experiment: str, kind: int = ViewType.ACTIVE_ONLY) -> list[Any]:
    known = client.get_experiment_by_name(experiment)
    return list(client.search_runs([known.experiment_id], run_view_type=kind)) if known else []


def test_what_is_published_reads_back(repo: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_EXP_NAME", "loyal-vela")
    state = state_of(repo)
    done = publish(state, uri=None, experiment="read back", repo=repo)
    assert (done.published, done.created) == (True, True)
    by_name = {run.info.run_name: run for run in runs_of(client, "read back")}
    assert set(by_name) == {"loyal-vela", "t0", "t1"}
    parent, t1 = by_name["loyal-vela"], by_name["t1"]
    assert parent.info.run_id == done.run_id
    assert parent.info.status == t1.info.status == "FINISHED"
    assert parent.data.params["rebalance.p"] == str(params().rebalance.p)
    assert "track.experiment" not in parent.data.params
    told = {"tripost.state": state.key, "tripost.final": "t3", "tripost.best": "t1", "tripost.complete": "true"}
    assert told.items() <= parent.data.tags.items()
    head = subprocess.run(["git", "rev-parse", "HEAD"], cwd=repo, capture_output=True, text=True, check=True)
    assert parent.data.tags["git.sha"] == head.stdout.strip()
    assert parent.data.tags["git.dirty"] == "false"
    curve = client.get_metric_history(parent.info.run_id, "word_sorting.seen.final")
    assert [(point.step, point.value) for point in curve] == [(0, 0.4), (1, 0.6)]
    assert t1.data.metrics["dropped.validate.ends_wrong"] == 3.0
    assert t1.data.metrics["train.target_tokens"] == 90000.0
    losses = client.get_metric_history(t1.info.run_id, "loss")
    assert [point.step for point in losses] == list(range(1, 1501))
    assert t1.data.tags["mlflow.parentRunId"] == parent.info.run_id
    assert t1.data.tags["md5.models/t1"].endswith(".dir")
    assert t1.data.tags["md5_by.models/t1"] == "file"
    (kept,) = [i.dataset for i in t1.inputs.dataset_inputs if i.dataset.name == "t1/kept"]
    assert kept.digest == t1.data.tags["md5.data/t1/kept.jsonl"]
    assert kept.source == '{"uri": "data/t1/kept.jsonl"}'
    assert msgspec.json.decode(kept.profile) == {"rows": 6, "digest by": "file"}
    assert str(repo) not in f"{[run.data for run in by_name.values()]}"


def test_the_same_state_is_published_once(
    repo: Path, client: MlflowClient, capfd: pytest.CaptureFixture[str]
) -> None:
    first = publish(state_of(repo), uri=None, experiment="once", repo=repo)
    second = publish(state_of(repo), uri=None, experiment="once", repo=repo)
    assert (second.published, second.created, second.run_id) == (True, False, first.run_id)
    assert len(runs_of(client, "once", ViewType.ALL)) == 3
    out, err = capfd.readouterr()
    assert out == ""
    assert [line.split()[0] for line in err.splitlines()] == ["track:"] * 4
    assert "final: t3, but t1 is best on validation" in err
    assert "setting up" not in err


def test_another_state_is_another_parent(repo: Path, client: MlflowClient) -> None:
    one = publish(state_of(repo), uri=None, experiment="changed", repo=repo)
    other = publish(state_of(repo, seed=77), uri=None, experiment="changed", repo=repo)
    assert one.run_id != other.run_id
    assert len(runs_of(client, "changed")) == 6


def test_a_parent_left_by_a_killed_publisher_is_replaced(repo: Path, client: MlflowClient) -> None:
    first = publish(state_of(repo), uri=None, experiment="killed", repo=repo)
    assert first.run_id
    client.delete_tag(first.run_id, "tripost.complete")
    second = publish(state_of(repo), uri=None, experiment="killed", repo=repo)
    assert second.created
    assert second.run_id != first.run_id
    assert len(runs_of(client, "killed")) == 3
    assert len(runs_of(client, "killed", ViewType.DELETED_ONLY)) == 3


def test_two_publishers_at_once_set_up_one_store_and_publish_one_parent(client: MlflowClient, said: str) -> None:
    assert said.count("setting up mlflow.db") == 1
    assert (said.count(" published to "), said.count(" stands already in ")) == (1, 1)
    assert {line.split()[0] for line in said.splitlines()} == {"track:"}
    assert len(runs_of(client, "two")) == 3


def test_a_dead_server_is_one_line(
    repo: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "planted-token")
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        port = server.getsockname()[1]
    uri = f"http://me:planted-password@127.0.0.1:{port}"
    done = publish(state_of(repo, final="t1"), uri=uri, experiment="x", repo=repo)
    assert not done.published
    assert done.uri == f"http://***@127.0.0.1:{port}"
    out, err = capfd.readouterr()
    assert out == ""
    assert err == (
        f"track: http://***@127.0.0.1:{port} is not reachable (Connection refused); "
        "nothing published, run dvc repro -s -f track later\n"
    )


class Refusing(BaseHTTPRequestHandler):
    """Says no, and repeats what it was sent."""

    def do_GET(self) -> None:
        body = f'{{"error_code": "PERMISSION_DENIED", "message": "no: {self.headers["Authorization"]}"}}'.encode()
        self.send_response(403)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing."""


def test_a_server_that_refuses_is_one_line_without_the_token(
    repo: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "planted-token")
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        uri = f"http://127.0.0.1:{server.server_port}"
        done = publish(state_of(repo, final="t1"), uri=uri, experiment="x", repo=repo)
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
    out, err = capfd.readouterr()
    assert not done.published
    assert out == ""
    assert "planted" not in err
    assert err.count("\n") == 1
    assert "PERMISSION_DENIED" in err
    assert "***" in err


def test_a_store_that_is_no_database_is_one_line(repo: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (repo / "broken.db").write_text("this is not a database, and long enough to be seen as none" * 20)
    try:
        done = publish(state_of(repo, final="t1"), uri="sqlite:///broken.db", experiment="x", repo=repo)
    finally:
        (repo / "broken.db").unlink()
    assert not done.published
    assert "did not take it (" in capfd.readouterr().err


def test_a_temporary_experiment_publishes_into_the_real_repository(
    repo: Path, client: MlflowClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(repo))
    folder = repo / ".dvc/tmp/exps/tmpabc"
    write_pipeline(folder)
    assert publish(state_of(folder), uri=None, experiment="temporary", repo=folder).created
    assert len(runs_of(client, "temporary")) == 3
    assert not (folder / "mlflow.db").exists()


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("models/t1.loss.csv", "t1.loss.csv: not a table of step and loss"),
        ("eval/t1/metrics.json", "metrics.json: not JSON"),
        ("eval/t1/predictions.jsonl", "predictions.jsonl:1: not JSON"),
    ],
)
def test_a_broken_file_is_named(tmp_path: Path, file: str, says: str) -> None:
    write_pipeline(tmp_path)
    (tmp_path / file).write_text("step;loss\n1;2\n")
    with pytest.raises(DataError, match=says):
        state_of(tmp_path)


def test_nothing_evaluated_is_named(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="no iteration has been evaluated; run dvc repro"):
        state_of(tmp_path)


def test_calls_of_llms_are_shown_as_traces(repo: Path, client: MlflowClient, said: str) -> None:
    hostile = "sk-" + "a" * 40
    calls = {
        "t1": [reply("<script>alert(1)</script>"), msgspec.structs.replace(reply("b"), text=f"the key is {hostile}")]
    }
    state = msgspec.structs.replace(read_state(params(), repo, *FOLDERS), params={"seed": "other"})
    done = publish(state, uri=None, experiment="traced", repo=repo, calls=calls)
    assert done.created
    where = client.get_experiment_by_name("traced")
    assert where is not None
    found = client.search_traces(locations=[where.experiment_id])
    assert len(found) == 2
    tags = [trace.info.tags for trace in found]
    assert {tag["tripost.iteration"] for tag in tags} == {"t1"}
    assert {tag["tripost.state"] for tag in tags} == {state.key}
    spans = [client.get_trace(trace.info.trace_id).data.spans[0] for trace in found]
    assert sorted(span.inputs["messages"][0]["content"] for span in spans) == ["<script>alert(1)</script>", "b"]
    assert hostile not in f"{[span.outputs for span in spans]}"
    assert all(span.attributes["mlflow.chat.tokenUsage"]["total_tokens"] == 4 for span in spans)
    assert not publish(state, uri=None, experiment="traced", repo=repo, calls=calls).created
    assert len(client.search_traces(locations=[where.experiment_id])) == 2
