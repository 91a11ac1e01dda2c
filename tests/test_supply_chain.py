"""No pickle is loaded, nothing is evaluated, nobody is called, and keys of the environment get into no file."""

import ast
import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from ruamel.yaml import YAML

from tests.toy import ROOT, raw_params

CODE = [path for top in ("src", "stages", "bench", "tests") for path in sorted((ROOT / top).rglob("*.py"))]
PICKLES = {"pickle", "cPickle", "dill", "cloudpickle", "joblib", "marshal", "shelve"}
CALLS = {"eval", "exec", "torch.load", "numpy.load", "np.load", "pandas.read_pickle", "pd.read_pickle", "yaml.load"}
KNOWN = {"tests/test_docs.py": ["exec"], "tests/bad_models.py": ["pickle"]}
"""The one runs the code blocks of our own documentation; the other writes a pickle that nothing must load."""

PLANTED = "sk-planted-4f1b8c2d9e"
KEYS = (
    "OPENAI_API_KEY", "AZURE_OPENAI_API_KEY", "HF_TOKEN", "MLFLOW_TRACKING_TOKEN", "MLFLOW_TRACKING_PASSWORD",
    "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN",
)  # fmt: skip

RUN = """
import json, runpy, sys
events = []
CALLED = {"pickle.find_class", "socket.connect", "socket.getaddrinfo", "socket.gethostbyname"}
sys.addaudithook(lambda event, arguments: events.append([event, repr(arguments)]) if event in CALLED else None)
for line in json.loads(sys.argv[1]):
    script, *words = line.split()
    sys.argv = [script, *words]
    runpy.run_path(script, run_name="__main__")
with open("events.json", "w") as file:
    json.dump(events, file)
"""


@pytest.mark.parametrize("path", CODE, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_unpickles_or_evaluates(path: Path) -> None:
    found = []
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.partition(".")[0] in PICKLES]
        elif isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] in PICKLES:
            found.append(node.module or "")
        elif isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            found += [name] if name in CALLS else []
            found += [
                k.arg for k in node.keywords if k.arg in {"trust_remote_code", "allow_pickle"} and is_on(k.value)
            ]
    assert found == KNOWN.get(str(path.relative_to(ROOT)), [])


def is_on(value: ast.expr) -> bool:
    return not (isinstance(value, ast.Constant) and value.value is False)


def commands() -> list[str]:
    """All stages, with one iteration, as dvc.yaml calls them."""
    pipeline = YAML(typ="safe", pure=True).load((ROOT / "dvc.yaml").read_text(encoding="utf-8"))["stages"]
    found = [pipeline[name]["cmd"] for name in ("base_model", "problems", "warmup", "eval_t0")]
    for name in ("rollout", "edit", "validate", "rebalance", "train", "eval"):
        command = pipeline[name]["do"]["cmd"]
        found.append(command.replace("${key}", "t1").replace("${item.prev}", "t0"))
    return [command.removeprefix("python ") for command in [*found, pipeline["track"]["cmd"]]]


def test_a_run_unpickles_nothing_calls_nobody_and_writes_no_key(toy: SimpleNamespace, tmp_path: Path) -> None:
    folder = tmp_path / "run"
    shutil.copytree(ROOT / "stages", folder / "stages")
    shutil.copytree(toy.models / "t0", folder / "imported" / "given")
    raw = raw_params(iterations={"t1": {"prev": "t0"}}, final="t1")
    raw["model"]["base"] = "imported/given"
    raw["warmup"]["epochs"] = 2
    with (folder / "params.yaml").open("w", encoding="utf-8") as file:
        YAML(typ="safe", pure=True).dump(raw, file)
    (folder / "dvc.lock").write_text("schema: '2.0'\nstages: {}\n", encoding="utf-8")
    environment = {
        **os.environ,
        "PYTHONPATH": str(ROOT / "src"),
        "OMP_NUM_THREADS": "1",
        **dict.fromkeys(KEYS, PLANTED),
    }
    environment.pop("MLFLOW_TRACKING_URI", None)
    done = subprocess.run(
        [sys.executable, "-c", RUN, json.dumps(commands())],
        cwd=folder, env=environment, capture_output=True, text=True, timeout=280, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert json.loads((folder / "events.json").read_text()) == []
    assert PLANTED not in done.stdout + done.stderr
    written = [path for path in folder.rglob("*") if path.is_file()]
    assert {"mlflow.db", "metrics.json", "track.json", "report.html"} <= {path.name for path in written}
    assert [str(path.relative_to(folder)) for path in written if PLANTED.encode() in path.read_bytes()] == []
