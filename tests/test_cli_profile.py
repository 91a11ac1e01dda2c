"""Profiles fit the params of this version, change what they say and keep everything else as it stands."""

import shutil
from pathlib import Path

import pytest

from tests.toy import ROOT
from tripost.cli import main
from tripost.cli.profile import PROFILES, apply
from tripost.errors import ParamsError
from tripost.params_file import load_params
from tripost.params_yaml import read_yaml

NAMES = sorted(file.stem for file in (ROOT / PROFILES).glob("*.yaml"))


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(ROOT / "params.yaml", tmp_path / "params.yaml")
    shutil.copytree(ROOT / PROFILES, tmp_path / PROFILES)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize("name", NAMES)
def test_a_profile_changes_its_keys_alone(checkout: Path, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    before = (checkout / "params.yaml").read_text().splitlines()
    assert main(["profile", name]) is None
    said = capsys.readouterr().out.splitlines()
    assert said.pop() == "then: tripost check; make run"
    wanted = read_yaml(checkout / PROFILES / f"{name}.yaml")
    assert {line.partition(":")[0] for line in said} <= set(wanted)
    params = load_params(checkout / "params.yaml")
    assert params.model.base == wanted["model.base"]
    assert (params.train.lora is not None) == (wanted["train.lora"] is not None)
    after = (checkout / "params.yaml").read_text().splitlines()
    assert len(after) == len(before)
    assert sum(a != b for a, b in zip(before, after, strict=True)) == len(said)
    assert apply(checkout / PROFILES / f"{name}.yaml", checkout / "params.yaml") == []


@pytest.mark.parametrize(("first", "then"), [(a, b) for a in NAMES for b in NAMES if a != b])
def test_a_profile_undoes_another(checkout: Path, first: str, then: str) -> None:
    params = checkout / "params.yaml"
    fresh = params.read_text()
    apply(checkout / PROFILES / f"{then}.yaml", params)
    wanted = load_params(params)
    params.write_text(fresh)
    for name in (first, then):
        apply(checkout / PROFILES / f"{name}.yaml", params)
    assert load_params(params) == wanted


def test_without_a_warm_up_its_keys_are_left_out(checkout: Path) -> None:
    text = (checkout / "params.yaml").read_text()
    start, end = text.index("warmup:"), text.index("rollout:")
    (checkout / "params.yaml").write_text(text[:start] + "warmup: none\n\n" + text[end:])
    changed = apply(checkout / PROFILES / "8b.yaml", checkout / "params.yaml")
    assert not any(key.startswith("warmup") for key, _, _ in changed)
    assert load_params(checkout / "params.yaml").train.lora is not None


def test_profiles_are_listed(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["profile"])
    assert [line.split()[0] for line in capsys.readouterr().out.splitlines()] == NAMES == ["0.5b", "1.5b", "8b"]
    assert main(["profile", "70b"]) == 1
    assert "no profile '70b'; there are 0.5b, 1.5b, 8b" in capsys.readouterr().err


@pytest.mark.parametrize("line", ["model.bsae: x", "model.base.name: x", "train.precision: fp64", "seed.x.y: 1"])
def test_a_wrong_profile_changes_nothing(checkout: Path, line: str) -> None:
    before = (checkout / "params.yaml").read_text()
    (checkout / PROFILES / "mine.yaml").write_text(f"model.base: other/model\n{line}\n")
    with pytest.raises(ParamsError):
        apply(checkout / PROFILES / "mine.yaml", checkout / "params.yaml")
    assert (checkout / "params.yaml").read_text() == before
    assert sorted(file.name for file in checkout.iterdir()) == ["examples", "params.yaml"]
