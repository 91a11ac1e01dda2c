"""What belongs to the checkout is the same for an experiment that DVC runs in a folder of its own."""

from pathlib import Path

import pytest

from tripost.shell.home import replies_file


@pytest.mark.parametrize("inside", [".dvc/tmp/exps/tmp1", ".dvc/tmp/exps/standalone/x"])
def test_a_temporary_experiment_has_the_checkouts_log(
    inside: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path))
    assert replies_file(tmp_path / inside) == tmp_path / ".tripost/replies.jsonl"


def test_another_checkout_has_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DVC_ROOT", str(tmp_path / "one"))
    assert replies_file(tmp_path / "two") == tmp_path / "two/.tripost/replies.jsonl"
    monkeypatch.delenv("DVC_ROOT")
    monkeypatch.chdir(tmp_path)
    assert replies_file(Path()) == tmp_path / ".tripost/replies.jsonl"
