"""A plain line at the end and now and then for logs; nothing but lines where nobody looks at a terminal."""

import pytest

from tripost.shell.progress import Progress


def test_a_log_gets_plain_lines(capsys: pytest.CaptureFixture[str]) -> None:
    with Progress("rollout t1", 0, "completions") as bar:
        bar.expect(4)
        bar.advance(1, 50)
        bar.shown -= 60
        bar.advance(1, 50, "loss 1.0")
        bar.expect(2)
        bar.advance(4, 100)
    err = capsys.readouterr().err
    assert "\x1b" not in err
    first, last = err.splitlines()
    assert first.startswith("rollout t1: 2/4 completions, ")
    assert "tokens/s" in first
    assert "s left, loss 1.0" in first
    assert last.startswith("rollout t1: 6 completions in 0 s")


def test_people_get_a_bar_that_is_closed_after_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    def fail() -> None:
        with Progress("edit t1", 10, "trajectories") as bar:
            bar.for_people = True
            bar.shown -= 60
            bar.advance(5)
            raise KeyError("stop")

    with pytest.raises(KeyError):
        fail()
    err = capsys.readouterr().err
    assert "[##########..........] edit t1: 5/10 trajectories" in err
    assert err.endswith("\n")
