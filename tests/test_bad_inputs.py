"""Each bad input, met by the real stage in a process of its own: one line, exit code 1, outputs untouched."""

from pathlib import Path

import pytest

from tests.bad_inputs import CASES, HEAD, PAGE, SLOW, meet, row
from tests.bad_world import Case, both, fields, make_world, params, text
from tripost.errors import LONGEST_LINE

LISTED = PAGE.read_text(encoding="utf-8").partition(HEAD)[2].splitlines()


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("bad") / "world"
    make_world(folder)
    return folder


NUMBERED = [
    pytest.param(k, id=f"{case.stage}: {case.what}", marks=[pytest.mark.slow] if case.what in SLOW else [])
    for k, case in enumerate(CASES)
]


@pytest.mark.parametrize("number", NUMBERED)
def test_a_bad_input_gets_its_line_and_changes_nothing(number: int, world: Path, tmp_path: Path) -> None:
    case = CASES[number]
    met = meet(case, world, tmp_path / "checkout")
    assert met.code == 1
    assert met.changed == []
    assert row(case, met.lines) == LISTED[number], "look at it, then: python -m tests.bad_inputs --write"
    assert len(met.lines) == 1 or "params.yaml: " in met.lines[0]
    assert met.lines[0].startswith("error: ")
    for line in met.lines:
        assert line.isprintable()
        assert len(line) <= LONGEST_LINE + len("error: ")
        assert any(hint in line for hint in ("; ", "did you mean", "known: ", "set exactly one")), (
            "what is to be done?"
        )


def test_the_page_lists_these_and_no_others() -> None:
    assert [line.split(" | ")[:2] for line in LISTED] == [[f"| {case.what}", case.stage] for case in CASES]


def test_no_secret_is_shown() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "hunter2" not in page
    assert "hf_abc" not in page


def test_a_tokenizer_without_padding_works_and_code_of_a_known_model_is_not_run(world: Path, tmp_path: Path) -> None:
    base = "models/base"
    spoil = both(
        params(**{"warmup.epochs": 1}),
        fields(f"{base}/tokenizer_config.json", pad_token=None),
        fields(f"{base}/config.json", pad_token_id=None, auto_map={"AutoModelForCausalLM": "evil.Model"}),
        text(f"{base}/evil.py", "from pathlib import Path\nPath('PLANTED').touch()\n"),
    )
    met = meet(Case("no padding", "warmup", spoil), world, tmp_path / "checkout")
    assert met.code == 0, met.lines
    assert "models/t0/model.safetensors" in met.changed
    assert not (tmp_path / "checkout" / "PLANTED").exists()
