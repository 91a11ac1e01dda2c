"""A pipe, a device, a folder or a link in the place of a file: refused at once, and nothing behind it is touched."""

import os
from pathlib import Path

import pytest

from tripost.errors import DataError, ModelError, ParamsError
from tripost.files import open_regular, read_bounded
from tripost.models.folder import read_object
from tripost.params_file import load_params
from tripost.records import Example, Problem
from tripost.shell.io import file_sha256, read_json, read_records, write_records

IRREGULAR = ["pipe", "device", "folder"]


@pytest.fixture(params=IRREGULAR)
def irregular(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "x"
    if request.param == "pipe":
        os.mkfifo(path)
    elif request.param == "device":
        path.symlink_to("/dev/zero")
    else:
        path.mkdir()
    return path


def test_every_reader_refuses_it(irregular: Path) -> None:
    with pytest.raises(OSError, match="not a regular file"):
        open_regular(irregular)
    for read in (lambda path: list(read_records(path, Problem)), read_json, file_sha256):
        with pytest.raises(DataError, match="x: cannot be read: not a regular file"):
            read(irregular)
    with pytest.raises(ParamsError, match="cannot be read: not a regular file"):
        load_params(irregular)
    with pytest.raises(ModelError, match="cannot be read: not a regular file"):
        read_object(irregular)


def test_links_are_followed_or_not(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    (tmp_path / "link").symlink_to(tmp_path / "x")
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"12345"
    with pytest.raises(OSError, match="symbolic link"):
        open_regular(tmp_path / "link", follow=False)


def test_no_more_than_the_bound_is_read(tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(b"12345")
    assert read_bounded(tmp_path / "x", 5) == b"12345"
    assert read_bounded(tmp_path / "x", 4) is None


@pytest.mark.parametrize("weight", ["-1.0", "1e308", "100.5"])
def test_a_weight_beyond_its_bounds_is_refused(tmp_path: Path, weight: str) -> None:
    row = (
        '{"schema_version":1,"id":"e","kind":"correct","task":"t","problem_id":"p",'
        f'"segments":[{{"part":"attempt","text":"a","weight":{weight}}}]}}\n'
    )
    (tmp_path / "e.jsonl").write_text(row)
    with pytest.raises(DataError, match=r"e\.jsonl:1: not an Example: Expected `float` .= (0|100)"):
        list(read_records(tmp_path / "e.jsonl", Example))


def test_a_link_as_an_output_is_replaced_and_what_it_points_to_stays(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("mine")
    (tmp_path / "out.jsonl").symlink_to(tmp_path / "precious")
    write_records(tmp_path / "out.jsonl", [])
    assert (tmp_path / "precious").read_text() == "mine"
    assert not (tmp_path / "out.jsonl").is_symlink()
