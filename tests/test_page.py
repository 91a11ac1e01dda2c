"""The gate's page: what is on it, and that no text of the model becomes markup."""

import re
from html.parser import HTMLParser
from pathlib import Path

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.gate_rows import PROBLEMS, ROWS, with_turn
from tripost.columns import TaskCount
from tripost.shell.expectations import Finding, GateResult
from tripost.shell.page import write_page
from tripost.shell.suite import Severity

EVIL = "<script>alert(1)</script><img src=http://x.y/z onerror=a>&amp;\x1b[31m\u202e\ud800"


def finding(name: str, ids: tuple[str, ...] = (), severity: Severity = "critical", success: bool = False) -> Finding:
    return Finding(name, f"what {name} means", severity, success, len(ids), ids, f"detail of {name}", "row")


def result(*findings: Finding) -> GateResult:
    success = all(f.success for f in findings if f.severity == "critical")
    tasks = (TaskCount("multistep_arithmetic", 1200, 800, 0.6667), TaskCount("word_sorting", 3, 2, 0.6667))
    return GateResult(success=success, rows=1203, tasks=tasks, findings=findings)


def page(tmp_path: Path, found: GateResult, rows: object = None) -> str:
    path = tmp_path / "new" / "page.html"
    write_page(path, "Gate of t1", found, ROWS if rows is None else rows, PROBLEMS)  # type: ignore[arg-type]
    return path.read_text(encoding="utf-8")


class Seen(HTMLParser):
    """The tags and the text of a page; every tag that is opened has to be closed."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: object) -> None:
        self.tags.append(tag)
        if tag not in {"meta", "br"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def test_a_passed_gate_shows_a_trajectory_of_each_kind_and_task(tmp_path: Path) -> None:
    seen = Seen(page(tmp_path, result(finding("answers_match", success=True))))
    assert seen.open == []
    assert "Passed" in seen.text
    assert "Refused" not in seen.text
    assert seen.tags.count("article") == 4
    assert [row.id in seen.text for row in ROWS] == [True, True, False, True, True, False]
    assert "1,200" in seen.text


def test_a_refused_gate_shows_each_failing_row_once_below_what_fails(tmp_path: Path) -> None:
    both = (ROWS[1].id, ROWS[5].id)
    html = page(tmp_path, result(finding("first", both), finding("second", both[:1], "warning"), finding("third")))
    seen = Seen(html)
    assert "Refused" in seen.text
    assert "2 critical failures, 1 warning." in " ".join(seen.text.split())
    assert seen.tags.count("article") == 2
    assert "(shown above)" in seen.text
    assert html.index('id="first"') < html.index('id="third"') < html.index('id="second"')
    for part in ("what first means", "detail of third", both[0], both[1], PROBLEMS[ROWS[1].problem_id].question):
        assert part in seen.text
    links = set(re.findall(r'href="#([^"]+)"', html))
    assert links <= set(re.findall(r' id="([^"]+)"', html))


def test_the_wrong_part_and_the_lines_that_are_new_are_marked(tmp_path: Path) -> None:
    feedback = ROWS[1].turns[0].feedback
    assert feedback is not None
    html = page(tmp_path, result(finding("first", (ROWS[1].id,))))
    assert f"<mark>{feedback.wrong_part}</mark>" in html
    old, new = (turn.attempt.raw.split("\n") for turn in ROWS[1].turns)
    assert html.count('class="text new"') == len(set(new) - set(old)) > 0


def test_what_a_model_wrote_is_escaped_everywhere(tmp_path: Path) -> None:
    bad = with_turn(ROWS[1], 1, lambda raw: f"{raw}{EVIL}", lambda said: f"{said}{EVIL}")
    bad = msgspec.structs.replace(bad, id=EVIL, task=EVIL)
    found = Finding("answers_match", "m", "critical", False, 1, (EVIL,), EVIL, "row")
    html = page(tmp_path, result(found), [bad])
    seen = Seen(html)
    assert not {"script", "img"} & set(seen.tags)
    assert seen.text.count("<script>alert(1)</script>") >= 5
    assert not {"\x1b", "\u202e"} & set(html)
    assert r"\u001b[31m\u202e\ud800" in seen.text


@settings(max_examples=25, deadline=None)
@given(st.text(st.sampled_from("<>/scriptSCRIPT&\"'`= \u2028\x00{}%")), st.text(max_size=20))
def test_no_text_opens_a_tag_or_a_template(tmp_path_factory: pytest.TempPathFactory, text: str, more: str) -> None:
    hostile = f"{text}<script>{more}{{{{ 7 * 7 }}}}{{% raw %}}</script>"
    bad = with_turn(ROWS[1], 1, lambda raw: f"{raw}{hostile}", lambda said: f"{said}{hostile}")
    bad = msgspec.structs.replace(bad, id=hostile, task=hostile)
    found = Finding("answers_match", hostile, "critical", False, 1, (hostile,), hostile, "row")
    html = page(tmp_path_factory.mktemp("page"), result(found), [bad])
    assert "<script" not in html.lower()
    assert set(Seen(html).tags) <= set(
        Seen(page(tmp_path_factory.mktemp("page"), result(finding("x", (ROWS[1].id,))))).tags
    )


def test_the_page_asks_for_nothing_from_elsewhere_and_is_the_same_each_time(tmp_path: Path) -> None:
    html = page(tmp_path, result(finding("first", (ROWS[1].id,))))
    assert html == page(tmp_path, result(finding("first", (ROWS[1].id,))))
    assert not re.search(r"https?:|src=|url\(|@import|<link|<script", html)
    assert "default-src 'none'" in html
    assert "prefers-color-scheme: dark" in html


def test_an_empty_table_and_unknown_ids_have_a_page_too(tmp_path: Path) -> None:
    nothing = GateResult(success=False, rows=0, tasks=(), findings=(finding("not_empty"), finding("x", ("gone",))))
    seen = Seen(page(tmp_path, nothing, []))
    assert "detail of not_empty" in seen.text
    assert "gone" in seen.text
    assert "No task was named." in seen.text
