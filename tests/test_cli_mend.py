"""What a killed DVC leaves half written is set aside, and nothing else is touched."""

import subprocess
from pathlib import Path

import pytest
import zc.lockfile

from tripost.cli import main
from tripost.cli.mend import broken, mend
from tripost.errors import DataError

LOCK = """schema: '2.0'
stages:
  problems:
    cmd: python stages/problems.py
    deps:
    - path: imported
      hash: md5
      md5: 58e0494c51d30eb3494f7c9198986bb9.dir
    outs:
    - path: data/problems
      md5: 9d3a8fd3dc1d6d7b0e1d8cbe33c1d2a4.dir
  warmup:
    cmd: python stages/warmup.py
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for command in ("git init -q", "git -c user.name=t -c user.email=t@t commit -q --allow-empty -m t"):
        subprocess.run(command.split(), cwd=tmp_path, check=True)
    return tmp_path


@pytest.mark.parametrize("content", [None, LOCK, "schema: '2.0'\n"])
def test_what_dvc_takes_is_left_alone(root: Path, content: str | None) -> None:
    if content is not None:
        (root / "dvc.lock").write_text(content)
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / ".dvc" / "tmp" / "rwlock").write_text("{}")
    assert list(mend(root)) == []
    assert (root / ".dvc" / "tmp" / "rwlock").exists()
    assert (root / "dvc.lock").exists() == (content is not None)
    assert not (root / ".tripost").exists()


@pytest.mark.parametrize(
    "content",
    ["", LOCK[:20], LOCK[:40], LOCK[: LOCK.index("python")], LOCK[: LOCK.index("path: imp")] + "ha", "[1", "a: \x00"],
)
def test_half_a_lock_is_set_aside(root: Path, content: str) -> None:
    (root / "dvc.lock").write_text(content)
    assert broken(root / "dvc.lock")
    (line,) = mend(root)
    assert line.startswith("dvc.lock was cut off when DVC was stopped; it is now .tripost/dvc.lock.broken, DVC finds")
    assert not (root / "dvc.lock").exists()
    assert (root / ".tripost" / "dvc.lock.broken").read_text() == content
    assert list(mend(root)) == []


def test_the_committed_lock_takes_its_place(root: Path) -> None:
    (root / "dvc.lock").write_text(LOCK)
    for command in ("git add dvc.lock", "git -c user.name=t -c user.email=t@t commit -qm lock"):
        subprocess.run(command.split(), cwd=root, check=True)
    (root / "dvc.lock").write_text("")
    (line,) = mend(root)
    assert line.endswith("the last commit's is there instead")
    assert (root / "dvc.lock").read_text() == LOCK


def test_a_merge_conflict_is_left_to_git(root: Path) -> None:
    conflict = f"<<<<<<< HEAD\n{LOCK}=======\n{LOCK}>>>>>>> theirs\n"
    (root / "dvc.lock").write_text(conflict)
    with pytest.raises(DataError, match="a merge conflict stands in it; settle it in git"):
        list(mend(root))
    assert (root / "dvc.lock").read_text() == conflict


@pytest.mark.parametrize("name", ["lock", "rwlock.lock"])
def test_nothing_is_mended_while_dvc_writes(root: Path, name: str) -> None:
    """DVC takes these two locks with the same package."""
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / "dvc.lock").write_text("")
    at_work = zc.lockfile.LockFile(str(root / ".dvc" / "tmp" / name))
    assert list(mend(root)) == []
    at_work.close()
    assert len(list(mend(root))) == 1


def test_nothing_is_lost_without_git_and_an_older_aside_stays(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(root))
    for number, name in enumerate(("dvc.lock.broken", "dvc.lock.broken1"), start=1):
        (root / "dvc.lock").write_text(f"half {number}")
        (line,) = mend(root)
        assert f"it is now .tripost/{name}, DVC finds" in line
        assert (root / ".tripost" / name).read_text() == f"half {number}"


def test_a_folder_in_place_of_the_lock_is_one_line(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "dvc.lock").mkdir()
    monkeypatch.chdir(root)
    assert main(["mend"]) == 1
    assert capsys.readouterr().err == "error: dvc.lock: Is a directory; mend that, then try again\n"


def test_half_an_rwlock_is_removed_and_the_command_says_so(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / ".dvc" / "tmp").mkdir(parents=True)
    (root / ".dvc" / "tmp" / "rwlock").write_text('{"data": {"read')
    monkeypatch.chdir(root)
    assert main(["mend"]) is None
    assert capsys.readouterr().err == "mend: .dvc/tmp/rwlock was cut off when DVC was stopped; removed\n"
    assert not (root / ".dvc" / "tmp" / "rwlock").exists()
