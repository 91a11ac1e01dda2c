"""`tripost doctor`: real folders, repositories, config files and sockets; what it says and what it never says."""

import socket
import subprocess
import textwrap
from pathlib import Path

import pytest

from tripost.cli import main
from tripost.cli.doctor import GB, disk, git, python, read_params, remote, torch, tracking
from tripost.credentials import masked_address
from tripost.params import Params
from tripost.params_file import load_params

PARAMS = Path(__file__).parents[1] / "params.yaml"


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A clean repository with valid params and a DVC config."""
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(tmp_path))
    monkeypatch.delenv("MLFLOW_TRACKING_URI", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    monkeypatch.setenv("COLUMNS", "100")
    root = tmp_path / "checkout"
    (root / ".dvc").mkdir(parents=True)
    (root / ".dvc" / "config").write_text("[core]\n    analytics = false\n    remote = store\n")
    (root / ".dvc" / "config.local").write_text("['remote \"store\"']\n    url = s3://me:secret@host/bucket\n")
    (root / "params.yaml").write_text(PARAMS.read_text(encoding="utf-8"), encoding="utf-8")
    subprocess.run(["git", "init", "-q", str(root)], check=True)
    subprocess.run(["git", "-C", str(root), "add", "-A"], check=True)
    who = ["-c", "user.name=x", "-c", "user.email=x@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", "-C", str(root), *who, "commit", "-q", "-m", "all"], check=True)
    return root


@pytest.fixture
def params(checkout: Path) -> Params:
    return load_params(checkout / "params.yaml")


def other_torch(folder: Path, monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Another torch for the process that is asked."""
    (folder / "torch.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))


def test_one_line_a_finding_and_exit_code_0_where_nothing_fails(
    checkout: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(checkout)
    text = """
        __version__ = "9.9"
        get_num_threads = lambda: 2
        class cuda:
            is_available = lambda: True
            device_count = lambda: 1
            get_device_name = lambda number: f"card {number}"
    """
    other_torch(tmp_path, monkeypatch, textwrap.dedent(text))
    assert main(["doctor"]) is None
    lines = capsys.readouterr().out.splitlines()
    found = {line[6:18].strip(): (line[:6].strip(), line[18:]) for line in lines if not line.startswith(" ")}
    assert list(found) == ["python", "torch", "disk", "git", "dvc lock", "dvc remote", "params", "tracking"]
    assert found["git"] == ("ok", "clean")
    assert found["dvc remote"] == ("ok", "store: s3://***@host/bucket")
    assert found["torch"] == ("ok", "9.9, 2 CPU threads, CUDA: card 0")
    assert found["tracking"] == ("ok", "sqlite:///mlflow.db, made by the first run")
    assert found["params"][1].startswith("params.yaml is valid: ")


def test_exit_code_1_where_something_fails(
    checkout: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(checkout)
    text = (checkout / "params.yaml").read_text(encoding="utf-8")
    (checkout / "params.yaml").write_text(text.replace("\nseed:", "\nsed:"), encoding="utf-8")
    monkeypatch.setattr("sys.executable", "/nowhere/python")
    assert main(["doctor"]) == 1
    out = capsys.readouterr().out
    assert "FAIL  params      params.yaml: sed: unknown key; did you mean 'seed'?\n" in out
    assert "\n                  params.yaml: seed: field required; add it, see docs/params.md\n" in out
    assert "FAIL  torch       does not answer: " in out
    assert "warn  git         1 changes not committed" in out


def test_a_broken_torch_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other_torch(tmp_path, monkeypatch, "raise ImportError('libcuda is gone')")
    found = torch()
    assert found.verdict == "FAIL"
    assert found.said == "cannot be imported: ImportError: libcuda is gone; make clean, then make setup"


@pytest.mark.slow
def test_the_real_torch_answers() -> None:
    found = torch()
    assert found.verdict == "ok"
    assert "CPU threads" in found.said


@pytest.mark.parametrize(
    ("version", "verdict"), [((3, 10), "FAIL"), ((3, 11), "ok"), ((3, 14), "ok"), ((3, 15), "FAIL"), ((4, 0), "FAIL")]
)
def test_python_fits_or_another_one_is_asked_for(version: tuple[int, int], verdict: str) -> None:
    found = python(version)
    assert found.verdict == verdict
    assert ("make setup PYTHON=" in found.said) == (verdict == "FAIL")


@pytest.mark.parametrize(
    ("free", "verdict"), [(0.9, "FAIL"), (1.0, "warn"), (5.9, "warn"), (6.0, "ok"), (900.0, "ok")]
)
def test_disk_is_enough_for_an_installation_or_a_run(free: float, verdict: str) -> None:
    found = disk(int(free * GB))
    assert found.verdict == verdict
    assert found.said.startswith(f"{free:.1f} GB free")


def test_git_clean_dirty_or_none(checkout: Path, tmp_path: Path) -> None:
    assert git(checkout) == ("ok", "git", "clean")
    (checkout / "new.txt").write_text("x")
    assert git(checkout).verdict == "warn"
    outside = tmp_path / "outside"
    outside.mkdir()
    found = git(outside)
    assert found.verdict == "FAIL"
    assert "git clone" in found.said


def test_remote_missing_unfinished_or_broken(checkout: Path, tmp_path: Path) -> None:
    assert remote(tmp_path).said == "no .dvc/config here: run this in the repository's root"
    (checkout / ".dvc" / "config.local").unlink()
    assert remote(checkout) == ("FAIL", "dvc remote", "store has no URL: .venv/bin/dvc remote add -d store URL")
    (checkout / ".dvc" / "config").write_text("[core]\n    analytics = false\n")
    assert remote(checkout).verdict == "warn"
    (checkout / ".dvc" / "config").write_text("analytics = false\n")
    assert remote(checkout).verdict == "FAIL"


def test_params_missing(tmp_path: Path) -> None:
    found, params = read_params(tmp_path)
    assert found == ("FAIL", "params", "no params.yaml here: run this in the repository's root")
    assert params is None


def test_tracking_server_answers_or_not(checkout: Path, params: Params) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        uri = f"http://me:secret@127.0.0.1:{server.getsockname()[1]}"
        up = tracking(checkout, params, uri)
    assert up == ("ok", "tracking", uri.replace("me:secret", "***") + " answers")
    down = tracking(checkout, params, uri)
    assert down.verdict == "FAIL"
    assert "does not answer" in down.said
    assert "secret" not in down.said


def test_tracking_file_and_what_comes_first(checkout: Path, params: Params) -> None:
    (checkout / "mlflow.db").write_text("")
    assert tracking(checkout, params, None).said == "sqlite:///mlflow.db, is there"
    named = params.model_copy(
        update={"track": params.track.model_copy(update={"tracking_uri": "sqlite:///other.db"})}
    )
    assert tracking(checkout, named, "http://127.0.0.1:1").said == "sqlite:///other.db, made by the first run"
    assert tracking(checkout, None, "databricks").verdict == "warn"
    assert tracking(checkout, None, "http://[oops").verdict == "FAIL"


@pytest.mark.parametrize(
    ("uri", "shown"),
    [
        ("s3://bucket/path", "s3://bucket/path"),
        ("https://user:secret@host/x", "https://***@host/x"),
        ("https://secret@host/x", "https://***@host/x"),
        ("https://user:se/cr@et@host/x", "https://***@host/x"),
        ("azure://box/x?sig=secret", "azure://box/x?***"),
        ("https://host/x#token=secret", "https://host/x?***"),
        ("user:secret@host:path", "***@host:path"),
        ("/mnt/store", "/mnt/store"),
    ],
)
def test_no_secret_is_shown(uri: str, shown: str) -> None:
    assert masked_address(uri) == shown
