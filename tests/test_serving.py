"""Servers that a stage starts on a model's folder: waited for, asked, and ended whatever happens."""

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import psutil
import pytest

from tests.test_endpoint_decoder import GREEDY, KEY, PROMPTS, SEEDS, remote_params, same, serve_params
from tests.toy import EMBEDDED, ROOT
from tripost.errors import EndpointError
from tripost.layout import PAPER_LAYOUT
from tripost.models.decoder import TorchDecoder
from tripost.models.learner import TorchLearner
from tripost.params import LoraParams
from tripost.shell.decoding import decoder_of
from tripost.shell.serving import serving

SERVER = """
import json, os, subprocess, sys
model, port = sys.argv[1], sys.argv[2]
print("I was given", os.environ.get("TRIPOST_TEST_KEY"), flush=True)
open("pids", "a").write(f"{os.getpid()}\\n")
child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
open("pids", "a").write(f"{child.pid}\\n")
os.environ["TRIPOST_TEST_MODEL"] = model
config = {"answer": "tests.endpoint_answers:checkpoint", "key": os.environ.get("TRIPOST_TEST_KEY", ""), "models": []}
open("config.json", "w").write(json.dumps(config))
sys.argv = ["x", "--config", "config.json", "--port-file", "port", "--port", port]
from tests.llm_server.__main__ import main
main()
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder, with a server in it that has a child of its own."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIPOST_TEST_KEY", KEY)
    monkeypatch.setenv("PYTHONPATH", f"{ROOT / 'src'}{os.pathsep}{ROOT}")
    (tmp_path / "server.py").write_text(SERVER, encoding="utf-8")
    return tmp_path


COMMAND = f"{sys.executable} server.py {{model}} {{port}}"


def pids(folder: Path) -> list[int]:
    return [int(line) for line in (folder / "pids").read_text().split()]


def gone(folder: Path) -> bool:
    return not any(psutil.pid_exists(pid) and psutil.Process(pid).status() != "zombie" for pid in pids(folder))


def until(true: Callable[[], bool], seconds: float = 30.0) -> bool:
    end = time.monotonic() + seconds
    while not true():
        if time.monotonic() > end:
            return False
        time.sleep(0.02)
    return True


def log(folder: Path, name: str = "rollout@t1") -> str:
    return (folder / ".tripost" / "serve" / f"{name}.log").read_text(encoding="utf-8")


def test_a_server_is_started_proves_itself_decodes_and_ends_with_all_of_its_group(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    params = remote_params(None, command=COMMAND)
    with decoder_of(params, PAPER_LAYOUT, EMBEDDED, 8, "rollout t1") as decoder:
        assert decoder.device == f"endpoint:{EMBEDDED}"
        found = decoder.complete(PROMPTS[:6], GREEDY, SEEDS[:6])
        assert not gone(here)
    assert same(found, TorchDecoder(str(EMBEDDED), 8).complete(PROMPTS[:6], GREEDY, SEEDS[:6]))
    assert len(pids(here)) == 2
    assert gone(here)
    assert log(here).startswith("I was given ***\n")
    said = capfd.readouterr()
    assert f"{EMBEDDED} is {EMBEDDED}: logprobs of" in said.err
    assert KEY not in said.err + said.out


def test_an_adapter_is_merged_for_the_server(here: Path, toy: SimpleNamespace) -> None:
    shutil.copytree(toy.models / "t0", here / "models" / "t0")
    lora = LoraParams(rank=2, alpha=4, dropout=0.0, targets="all-linear")
    train = toy.params.train.model_copy(update={"lora": lora, "learning_rate": 1e-2})
    from tests.fakes import ARITHMETIC, problems
    from tripost.examples import rationale_examples

    learner = TorchLearner(str(here / "models" / "t0"), train)
    learner.fit(rationale_examples(problems(ARITHMETIC, 4)), 1)
    learner.save(here / "models" / "t1")
    params, folder = remote_params(None, command=COMMAND), here / "models" / "t1"
    with decoder_of(params, PAPER_LAYOUT, folder, 8, "eval t1") as decoder:
        found = decoder.complete(PROMPTS[:4], GREEDY, SEEDS[:4])
        assert (here / ".tripost" / "serve" / "eval@t1.model" / "model.safetensors").is_file()
    assert same(found, TorchDecoder(str(folder), 8).complete(PROMPTS[:4], GREEDY, SEEDS[:4]))
    assert [path.name for path in (here / ".tripost" / "serve").iterdir()] == ["eval@t1.log"]


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (
            f"{sys.executable} -c \"print('loading'); print('no GPU here'); raise SystemExit(3)\" {{model}} {{port}}",
            "it ended with 3: no GPU here; see .tripost/serve/x.log",
        ),
        ("no-such-program {model} {port}", "it ended with 127: no-such-program: No such file or directory"),
        (
            f"{sys.executable} -c 'import time; time.sleep(600)' {{model}} {{port}}",
            "not ready in 1 s: it wrote nothing",
        ),
    ],
)
def test_a_command_that_serves_nothing(here: Path, command: str, said: str) -> None:
    before = psutil.Process().children(recursive=True)
    with (
        pytest.raises(EndpointError) as error,
        serving(serve_params(None, command=command, wait_s=1.0), EMBEDDED, "fp32", "x"),
    ):
        raise AssertionError
    assert said in str(error.value)
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("params.yaml: serve.command: ")
    assert psutil.Process().children(recursive=True) == before


def test_a_server_that_ends_while_it_is_asked_is_not_waited_for(here: Path) -> None:
    params = remote_params(None, command=COMMAND, deadline_s=300.0)
    with decoder_of(params, PAPER_LAYOUT, EMBEDDED, 8, "rollout t1") as decoder:
        os.kill(pids(here)[0], signal.SIGKILL)
        started = time.monotonic()
        with pytest.raises(EndpointError, match=r"serve\.command: it ended with"):
            decoder.complete(PROMPTS[:2], GREEDY, SEEDS[:2])
        assert time.monotonic() - started < 20
    assert gone(here)


STAGE = """
import sys
from pathlib import Path
from tests.test_endpoint_decoder import serve_params
from tests.test_serving import COMMAND
from tripost.shell.serving import serving
import signal, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
with serving(serve_params(None, command=COMMAND), Path(sys.argv[1]), "fp32", "rollout@t1"):
    print("ready", flush=True)
    time.sleep(600)
"""


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_a_server_dies_with_the_stage(here: Path, number: signal.Signals) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", STAGE, str(EMBEDDED)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as stage:
        assert stage.stdout
        assert stage.stdout.readline() == "ready\n"
        assert not gone(here)
        stage.send_signal(number)
        stage.wait(timeout=30)
    assert until(lambda: gone(here))


def test_what_transformers_serves_is_what_the_local_decoder_writes(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The real server, without network: nearly all greedy texts are the same (200 of 200 when it was measured)."""
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    program = Path(sys.executable).with_name("transformers")
    command = f"{program} serve {{model}} --dtype {{dtype}} --host {{host}} --port {{port}}"
    params: Any = remote_params(None, command=command, wait_s=120.0, timeout_s=60.0, key=None)
    with decoder_of(params, PAPER_LAYOUT, EMBEDDED, 8, "rollout t1") as decoder:
        found = decoder.complete(PROMPTS, GREEDY, SEEDS)
    local = TorchDecoder(str(EMBEDDED), 8).complete(PROMPTS, GREEDY, SEEDS)
    assert sum(same([a], [b]) for a, b in zip(found, local, strict=True)) >= len(PROMPTS) - 1
