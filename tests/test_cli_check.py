"""`tripost check`: fine or all findings, quickly, before anything runs."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.bad_world import write_params
from tests.fakes import WORDS, problems
from tests.toy import ROOT
from tripost.cli import main
from tripost.shell.io import write_records


def test_the_shipped_params_are_fine(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert main(["check"]) is None
    assert capsys.readouterr().out == "params.yaml: fine\n"


def test_own_problems_and_a_name_on_the_hub_are_fine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write_records(tmp_path / "own.jsonl", problems(WORDS, 2))
    source = {"problems.word_sorting.source": "jsonl", "problems.word_sorting.path": "own.jsonl"}
    write_params(tmp_path, **source, **{"model.base": "some/model"})
    assert main(["check"]) is None


def test_all_that_is_named_and_not_there_is_said_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    source = {"problems.word_sorting.source": "bbh", "problems.word_sorting.path": "none.json"}
    write_params(tmp_path, **source, **{"model.base": "./none"})
    assert main(["check"]) == 1
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(";")[0] for line in said] == [
        "error: none.json: cannot be read: No such file or directory",
        "error: params.yaml: model.base: none: no such folder",
    ]


def test_nothing_heavy_is_imported() -> None:
    code = "import sys; from tripost.cli import main; main(['check']); print([m for m in ('torch', 'transformers', 'great_expectations', 'mlflow') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "params.yaml: fine\n[]\n"


def test_a_key_that_is_not_set_is_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    llm = {"problems.word_sorting.expert": {"feedback": "llm", "improve": "script"}}
    served = {"model.backend": "openai", "serve.base_url": "http://127.0.0.1:9/v1", "serve.key": "SERVE_KEY"}
    write_params(tmp_path, **llm, **served)
    assert main(["check"]) is None
    said = capsys.readouterr().err.splitlines()
    assert [line.partition(": the env")[0] for line in said] == [
        "note: params.yaml: calls.endpoints.llm.key",
        "note: params.yaml: serve.key",
    ]
