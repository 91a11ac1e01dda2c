"""Rows on a disk behave like a list of the same rows, take no memory, and are there whole or not at all."""

import errno
import subprocess
import sys
import tracemalloc
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.test_filter import GOOD, X
from tests.test_io import TRAJECTORIES
from tripost.errors import DataError
from tripost.records import Dropped, Trajectory
from tripost.shell import rows
from tripost.shell.io import load_trajectories, read_records
from tripost.shell.rows import Joined, Spool, sort_into


def copies(count: int) -> list[Trajectory]:
    return [msgspec.structs.replace(GOOD, id=f"x1/t1/{k}", seed=k) for k in range(count)]


@given(st.lists(TRAJECTORIES, max_size=12), st.integers(1, 5), st.data())
def test_a_spool_is_a_list_of_what_was_appended(
    tmp_path_factory: pytest.TempPathFactory, wanted: list[Trajectory], at_once: int, data: st.DataObject
) -> None:
    path = tmp_path_factory.mktemp("spool") / "x.jsonl"
    with pytest.MonkeyPatch.context() as patch, Spool(path, Trajectory) as spool:
        patch.setattr(rows, "AT_ONCE", at_once)
        for number, row in enumerate(wanted):
            spool.append(row)
            if data.draw(st.booleans()):  # looked at while it grows
                assert spool[number] == row
        assert list(spool) == wanted
        assert len(spool) == len(wanted)
        assert list(reversed(spool)) == wanted[::-1]
        for place in range(-len(wanted), len(wanted)):
            assert spool[place] == wanted[place]
        cut = slice(
            data.draw(st.integers(-15, 15)), data.draw(st.integers(-15, 15)), data.draw(st.sampled_from([1, 2, -1]))
        )
        assert spool[cut] == wanted[cut]
        for place in (len(wanted), -len(wanted) - 1):
            with pytest.raises(IndexError):
                spool[place]
        spool.keep()
    assert list(read_records(path, Trajectory)) == wanted


def test_what_is_not_kept_leaves_nothing_and_what_is_kept_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "new" / "x.jsonl"
    with Spool(path, Trajectory) as spool:
        spool.append(GOOD)
    assert not list(path.parent.iterdir())
    with Spool(path, Trajectory) as spool:
        spool.append(GOOD)
        assert not path.exists()
        spool.keep(tmp_path / "elsewhere" / "y.jsonl")
    assert not list(path.parent.iterdir())
    assert list(read_records(tmp_path / "elsewhere" / "y.jsonl", Trajectory)) == [GOOD]


def test_each_record_goes_to_the_spool_of_its_kind(tmp_path: Path) -> None:
    lost = Dropped(trajectory=GOOD, stage="edit", reason="cannot_judge", detail="")
    with Spool(tmp_path / "a", Trajectory) as kept, Spool(tmp_path / "b", Dropped) as dropped:
        sort_into((kept, dropped), [GOOD, lost, GOOD])
        assert [*kept] == [GOOD, GOOD]
        assert [*dropped] == [lost]


def test_joined_rows_are_one_after_the_other() -> None:
    wanted = copies(5)
    joined = Joined(wanted[:2], [], wanted[2:])
    assert len(joined) == 5
    assert list(joined) == wanted
    assert [joined[k] for k in range(-5, 5)] == wanted + wanted
    assert joined[1:4] == wanted[1:4]
    for place in (5, -6):
        with pytest.raises(IndexError):
            joined[place]


def test_loaded_rows_stay_on_the_disk(tmp_path: Path) -> None:
    wanted = copies(2000)
    path = tmp_path / "x.jsonl"
    with Spool(path, Trajectory) as spool:
        for row in wanted:
            spool.append(row)
        spool.keep()
    tracemalloc.start()
    loaded = load_trajectories(path, {X.id: X})
    held, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert held < 2000 * 20  # where a line ends, and room to grow
    assert peak < 2000 * 400  # the ids, while the rows are held against one another
    path.unlink()  # they are those of the file that was opened
    assert list(loaded) == wanted
    assert loaded[1234] == wanted[1234]


def test_a_full_disk_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    code = (
        "import resource, signal, sys\nfrom pathlib import Path\nfrom tests.test_rows import GOOD, Spool, Trajectory\n"
        "signal.signal(signal.SIGXFSZ, signal.SIG_IGN)\nresource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))\n"
        "try:\n    with Spool(Path(sys.argv[1]), Trajectory) as spool:\n        while True:\n            spool.append(GOOD)\n"
        "except OSError as error:\n    print(error.filename)\n"
    )
    path = tmp_path / "x.jsonl"
    said = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert said.stdout.strip() == str(path)
    assert not list(tmp_path.iterdir())


def test_rows_that_change_while_they_are_read_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    with Spool(path, Trajectory) as spool:
        for row in copies(3):
            spool.append(row)
        spool.keep()
    loaded = load_trajectories(path, {X.id: X})
    with path.open("r+b") as file:
        file.truncate(path.stat().st_size - 10)
    with pytest.raises(DataError, match=r"x\.jsonl: was changed while it was read; make it anew"):
        list(loaded)


def test_a_spool_goes_to_another_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rename = Path.replace

    def refuse(path: Path, to: Path) -> Path:
        if path.parent != to.parent:
            raise OSError(errno.EXDEV, "Invalid cross-device link")
        return rename(path, to)

    monkeypatch.setattr(Path, "replace", refuse)
    with Spool(tmp_path / "a" / "x.jsonl", Trajectory) as spool:
        spool.append(GOOD)
        spool.keep(tmp_path / "b" / "x.jsonl")
    assert list(read_records(tmp_path / "b" / "x.jsonl", Trajectory)) == [GOOD]
    assert [path.name for path in tmp_path.rglob("*.jsonl*")] == ["x.jsonl"]
