"""What several test files share: one toy base and one overfitted M_0 a session, and an installed plug-in."""

import os
import shutil
import signal
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from hypothesis import settings

from tests.toy import EMBEDDED, ROOT, toy_params

settings.register_profile("tripost", deadline=None)  # how long an example takes is no matter of right or wrong
settings.load_profile("tripost")

# Begun in the background of a shell we would ignore Ctrl-C, and so would all that tests start and interrupt.
signal.signal(signal.SIGINT, signal.default_int_handler)
os.environ.setdefault("OMP_NUM_THREADS", "1")  # one process and thread; tests that want more say so

HEAVY = {
    "test_algorithm", "test_bad_inputs", "test_cli_doctor", "test_disk", "test_dvc", "test_endpoint_decoder", "test_expectations", "test_expert_gate", "test_gate",
    "test_kills", "test_less", "test_library", "test_llm_batch", "test_llm_served", "test_llm_server", "test_llm_stage", "test_model_folder", "test_models", "test_packed", "test_page", "test_plan", "test_plugins", "test_resume",
    "test_serving", "test_slots", "test_stage", "test_supply_chain",
    "test_tracking", "test_two_at_once",
}  # fmt: skip
"""Files that need torch, Great Expectations, MLflow or processes; the rest is marked `unit`: make test ARGS="-m unit"."""


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m unit` the other files are not even imported, or torch and MLflow would be."""
    return True if config.option.markexpr == "unit" and collection_path.stem in HEAVY else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark the fast tests."""
    for item in items:
        if item.path.stem not in HEAVY:
            item.add_marker(pytest.mark.unit)


@pytest.fixture(scope="session")
def plugin(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the package of tests/plugin in it, installed as pip does, without network."""
    folder = tmp_path_factory.mktemp("plugin")
    shutil.copytree(ROOT / "tests" / "plugin", folder / "source", ignore=shutil.ignore_patterns("__pycache__"))
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-index", "--no-deps", "--no-build-isolation"]
    command = [*pip, "--disable-pip-version-check", "--target", str(folder / "site"), str(folder / "source")]
    subprocess.run(command, check=True, capture_output=True)
    return folder / "site"


@pytest.fixture(scope="session")
def toy(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Folders of a toy pipeline up to M_0: `models/base`, `models/t0`, `data/problems`; made by the stages."""
    import torch

    from stages import base_model, problems, warmup

    torch.set_num_threads(1)
    root: Path = tmp_path_factory.mktemp("toy")
    params = toy_params()
    models, data = root / "models", root / "data"
    base_model.main(params, out=models / "base", embedded=EMBEDDED)
    problems.main(params, out=data / "problems", counts=data / "problems.json")
    warmup.main(
        params,
        model=models / "base",
        problems=data / "problems",
        out=models / "t0",
        loss=models / "t0.loss.csv",
        counts=models / "t0.json",
        pool=data / "t0" / "pool.jsonl",
        pool_meta=data / "t0" / "pool.meta.json",
    )
    return SimpleNamespace(root=root, models=models, data=data, problems=data / "problems", params=params)
