"""The documentation against the code: links, named files, the map, params, checks, reasons, and code that runs."""

import re
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from tripost import edit, filter, rebalance
from tripost.params import LoraParams
from tripost.params_file import check_params
from tripost.shell.suite import expert_checks, row_checks, task_checks

ROOT = Path(__file__).resolve().parent.parent
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [
    ROOT / "README.md",
    ROOT / "CHANGELOG.md",
    ROOT / "CONTRIBUTING.md",
    *DOCS,
    ROOT / "examples" / "addition" / "README.md",
]
NAMED = re.compile(r"(?<![\w./-])(?:src|stages|tests|bench|tools|docs|examples)/[\w./-]*\w\.(?:py|sh|md|html)\b")
LINK = re.compile(r"\]\(([^()\s]+)\)")
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TRAINING = re.compile(r"(?:warmup|train|model\.scratch\.drill)\.(\w+)")


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def prose(path: Path) -> str:
    return BLOCK.sub("", path.read_text(encoding="utf-8"))


def anchors(path: Path) -> set[str]:
    """The anchors that a web view gives to the headings."""
    headings = re.findall(r"^#+ (.+)$", prose(path), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_relative_links_lead_somewhere(page: Path) -> None:
    for link in LINK.findall(prose(page)):
        if re.match(r"[a-z]+:", link):
            continue
        where, _, anchor = link.partition("#")
        target = (page.parent / where).resolve() if where else page
        assert target.exists(), link
        assert not anchor or anchor in anchors(target), link


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_named_files_exist(page: Path) -> None:
    missing = [path for path in NAMED.findall(page.read_text(encoding="utf-8")) if not (ROOT / path).exists()]
    assert not missing


def test_the_map_of_the_readme_is_true_and_complete() -> None:
    _, found, rest = (ROOT / "README.md").read_text(encoding="utf-8").partition("\n## Map\n")
    assert found, "README.md has no section Map"
    section = rest.partition("\n## ")[0]
    named = {path.rstrip("/") for path in re.findall(r"`([\w.-]+/[\w./-]*)`", section)}
    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []
    files = [*(ROOT / "src" / "tripost").glob("*.py"), *(ROOT / "stages").glob("*.py")]
    modules = {name(path) for path in files if path.name != "__init__.py"}
    packages = {name(path.parent) for path in (ROOT / "src" / "tripost").glob("*/__init__.py") if path.stat().st_size}
    assert sorted((modules | packages) - named) == []


def keys(section: Any, path: str = "") -> set[str]:
    """Dotted keys of the params as docs/params.md writes them."""
    if path.endswith(".lora"):  # null as it is shipped
        return {
            TRAINING.sub(r"<training>.\1", path),
            *(f"<training>.lora.{field}" for field in LoraParams.model_fields),
        }
    if not isinstance(section, dict):
        return {TRAINING.sub(r"<training>.\1", path)}
    found = {path} if path == "model.scratch.drill" else set()  # may be null as a whole
    for key, value in section.items():
        named = {"problems": "<task>", "iterations": "<t>", "llms": "<name>", "calls.endpoints": "<name>"}
        standing = named.get(path, key)
        found |= keys(value, f"{path}.{standing}" if path else key)
    return found


def test_every_param_is_explained_and_nothing_else() -> None:
    page = (ROOT / "docs" / "params.md").read_text(encoding="utf-8")
    cells = re.findall(r"^\| (`[^|]*`) \|", page, re.MULTILINE)
    explained = [key for cell in cells for key in re.findall(r"`([^`]+)`", cell)]
    params = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    assert sorted(explained) == sorted(keys(params))


def listed(heading: str) -> list[list[str]]:
    """The cells of the rows below a heading of docs/data.md."""
    page = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
    section = page.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    return [[cell.strip(" `") for cell in row.split("|")[1:-1]] for row in re.findall(r"^\| `.*$", section, re.M)]


def test_every_check_of_the_gate_is_listed_with_its_severity() -> None:
    raw = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    params = check_params(raw).validate_
    checks = [*row_checks(["a"], 6, 100), *task_checks(params, 10), *expert_checks(params)]
    rows = listed("What the gate checks")
    assert sorted((row[0], row[2]) for row in rows) == sorted((check.name, check.severity) for check in checks)


def test_every_reason_is_listed_with_its_stages_and_meaning() -> None:
    wanted: dict[str, tuple[str, str]] = {}
    for stage, reasons in (("edit", edit), ("validate", filter), ("rebalance", rebalance)):
        for reason, meaning in reasons.REASONS.items():
            stages = f"{wanted[reason][0]}, {stage}" if reason in wanted else stage
            wanted[reason] = (stages, meaning)
    assert {row[0]: (row[1], row[2]) for row in listed("Why a trajectory is dropped")} == wanted


def test_the_bounds_on_hostile_text_are_those_of_the_code() -> None:
    page = (ROOT / "docs" / "hostile-text.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `src/(\S+)\.py` \| `([A-Z_]+)` \| ([\d,]+) \|", page, re.MULTILINE)
    assert len(rows) >= 12
    for path, bound, value in rows:
        assert getattr(import_module(path.replace("/", ".")), bound) == int(value.replace(",", "")), bound


def test_every_bound_of_a_task_is_listed() -> None:
    page = (ROOT / "docs" / "hostile-text.md").read_text(encoding="utf-8")
    bounds = [
        f"| `{name(path)}` | `{bound}` |"
        for path in sorted((ROOT / "src" / "tripost" / "tasks").rglob("*.py"))
        for bound in re.findall(r"^((?:MAX|MOST)_[A-Z_]+) = ", path.read_text(encoding="utf-8"), re.MULTILINE)
        if bound != "MAX_TRIES"  # of generators, which read nothing
    ]
    assert len(bounds) >= 20
    assert [bound for bound in bounds if bound not in page] == []


WALKED = "# examples/addition/addition.py\n"
"""How a block begins that is a part of that file."""
RUNNABLE = {
    name(page): blocks
    for page in PAGES
    if (blocks := [code for kind, code in BLOCK.findall(page.read_text("utf-8")) if kind == "python"])
}


@pytest.mark.parametrize("page", RUNNABLE)
def test_code_that_says_so_runs(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The blocks of a page run one after the other in one namespace, in an empty folder."""
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": "docs"}
    for number, code in enumerate(RUNNABLE[page], start=1):
        block = compile(code, f"{page}, block {number}", "exec")  # at least it is Python
        if code.startswith(("# runs\n", WALKED)):
            exec(block, namespace)  # noqa: S102 (our own documentation)


def test_the_walk_through_is_the_whole_example_as_it_stands() -> None:
    parts = [code.removeprefix(WALKED) for code in RUNNABLE["docs/extending.md"] if code.startswith(WALKED)]
    whole = (ROOT / "examples" / "addition" / "addition.py").read_text(encoding="utf-8")
    assert re.sub(r"\n+", "\n", "".join(parts)) == re.sub(r"\n+", "\n", whole)
    lines = len(whole.splitlines())
    assert f"the example has {lines} lines" in (ROOT / "docs" / "extending.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_yaml_and_json_blocks_can_be_read(page: Path) -> None:
    for kind, code in BLOCK.findall(page.read_text(encoding="utf-8")):
        if kind in {"yaml", "json"}:
            assert YAML(typ="safe", pure=True).load(code), code
