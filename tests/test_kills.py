"""A few of the random kills of `make bench ARGS=kills`, under the real DVC: make test ARGS="-m slow -k kills"."""

from pathlib import Path

import pytest

from bench.kills import STAGES, kills, toy

pytestmark = pytest.mark.slow


@pytest.mark.timeout(1500)
def test_kills_leave_no_trace(tmp_path: Path) -> None:
    found = list(kills(toy(tmp_path), len(STAGES), seed=2))
    assert [kill for kill in found if not kill.good] == []
    assert any(kill.left != "nothing" for kill in found), "no kill has hit a stage at work"
