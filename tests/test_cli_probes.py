"""`tripost show t1 --probes`, read as its user reads it."""

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.test_probes import BY_ID, XS, Says, judged, made, row
from tripost.cli import main
from tripost.shell.io import write_records

Show = Callable[..., str]
PROBES = judged(made([row(x) for x in XS]))
MISSED = judged(made([row(x) for x in XS]), Says(None))


@pytest.fixture
def show(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Show:
    """Run `tripost show t1 ...` where t1 has these probes; what it prints, or an error's line."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "150")
    monkeypatch.delenv("FORCE_COLOR", raising=False)
    folder = tmp_path / "data" / "t1"
    write_records(folder / "probes.jsonl", PROBES)
    write_records(folder / "kept.jsonl", [row(x) for x in XS])
    write_records(tmp_path / "data" / "problems" / "train.jsonl", XS)

    def printed(words: str, code: int | None = None) -> str:
        assert main(["show", "t1", *words.split()]) == code
        captured = capsys.readouterr()
        return captured.err if code else captured.out

    return printed


def test_the_figures_stand_below_the_counts_of_rows(show: Show) -> None:
    line = next(line for line in show("-n 0").splitlines() if line.startswith("word_sorting"))
    assert line.split() == [
        "word_sorting",
        "5",
        "100.0",
        "[56.6,",
        "100.0]",
        "100.0",
        "[56.6,",
        "100.0]",
        "5",
        "0.0",
        "[0.0,",
        "43.4]",
        "0.0",
        "[0.0,",
        "27.8]",
    ]
    assert "multistep_arithmetic" not in show("-n 0 --task word_sorting")


def test_without_probes_there_are_no_figures(show: Show) -> None:
    write_records(Path("data/t1/probes.jsonl"), [])
    assert "expert on probes" not in show("-n 0")
    assert "data/t1/probes.jsonl: no probes; see edit.probes in params.yaml" in show("--probes", code=1)


def test_a_probe_is_shown_with_its_error_and_the_verdict(show: Show) -> None:
    probe = next(p for p in PROBES if p.planted_step is not None)
    said = show(f"--probes --id {probe.id}")
    assert f"{probe.kind} planted in " in said
    assert "judged      found" in said
    assert BY_ID[probe.problem_id].answer in said
    assert "1 of 1 probes" in said
    clean = next(p for p in PROBES if p.planted_step is None)
    said = show(f"--probes --id {clean.problem_id}")
    assert "nothing is wrong: the reference rationale" in said
    assert "judged      rightly called correct" in said


def test_where_the_expert_was_mistaken_comes_first(show: Show) -> None:
    wrong = [p for p in MISSED if p.planted_step is not None][:1]
    write_records(Path("data/t1/probes.jsonl"), [p for p in PROBES if p.id != wrong[0].id] + wrong)
    said = show("--probes -n 1")
    assert f"1  {wrong[0].id} " in said
    assert "judged      missed" in said or "judged      the expert cannot judge it" in said


@pytest.mark.parametrize(
    ("words", "line"),
    [
        ("--probes --task word_sortin", "no probe is of task 'word_sortin'; did you mean 'word_sorting'?"),
        ("--probes --id nobody", "no probe of these has the id 'nobody'"),
    ],
)
def test_what_is_not_there_gets_one_line(show: Show, words: str, line: str) -> None:
    assert show(words, code=1) == f"error: {line}\n"


@pytest.mark.parametrize("words", ["--probes --stage kept", "--probes --eval"])
def test_what_does_not_go_together_is_refused(show: Show, words: str) -> None:
    with pytest.raises(SystemExit):
        show(words)
