"""Names -> tasks, experts, prompts: ours, a file of the user's own, and plug-ins; every refusal in one line."""

import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ARITHMETIC, WORDS, arithmetic_problem, attempt, problems
from tripost import registry
from tripost.errors import UnknownNameError
from tripost.experts import chosen
from tripost.experts.grader import Grader
from tripost.interfaces import CannotImprove, CannotJudge
from tripost.params import ExpertParams
from tripost.plugins import named
from tripost.problems import check_rationales
from tripost.records import Attempt, Feedback, Problem

LESS = '''
class Less:
    """A grader and nothing else."""

    name = "less"

    def problems(self, difficulties, seed):
        return iter(())

    def is_correct(self, problem, attempt):
        return attempt.final == problem.answer

    def seen(self, difficulty):
        return True
'''


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty repository with the file of a task in it."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "less.py").write_text(LESS, encoding="utf-8")
    return tmp_path


def install(site: Path, name: str, entry_points: str, **modules: str) -> None:
    """A package as pip leaves it: modules, and what they are called."""
    info = site / f"{name}-1.0.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n", encoding="utf-8")
    (info / "entry_points.txt").write_text(entry_points, encoding="utf-8")
    for module, code in modules.items():
        (site / f"{module}.py").write_text(code, encoding="utf-8")


def refusal(call: Any, *arguments: Any) -> str:
    with pytest.raises(UnknownNameError) as error:
        call(*arguments)
    assert "\n" not in str(error.value)
    return str(error.value)


def test_a_task_is_one_file_in_the_repository(here: Path) -> None:
    task = registry.task("less", "own/less.py:Less")
    assert task.name == "less"
    assert task.seen("anything")


@pytest.mark.parametrize(
    ("module", "says"),
    [
        ("own/mine.py:Less", "own/mine.py: no such file; write path/to/file.py:Class"),
        ("own:Less", "own: no such file"),
        ("../x.py:Less", "../x.py lies outside this repository"),
        ("/etc/passwd:x", "/etc/passwd lies outside this repository"),
        ("own/link.py:Less", "own/link.py lies outside this repository"),
        ("own/less.py:More", "own/less.py has no More; name a class that it has"),
        ("own/broken.py:Less", "own/broken.py:Less cannot be loaded: SyntaxError"),
        ("own/empty.py:Less", "own/empty.py:Less has no name and no problems and no is_correct and no seen"),
        ("own/other.py:Less", "own/other.py:Less calls itself 'other'; let name be 'less'"),
        ("own/exit.py:Less", "own/exit.py:Less cannot be loaded: SystemExit: 0"),
        ("own/loop.py:Less", "own/loop.py cannot be followed"),
        (f"own/{'x' * 300}.py:Less", "x.py cannot be followed"),
        ("own/a\0b.py:Less", "own/a\\x00b.py cannot be followed"),
    ],
)
def test_what_is_no_task_is_refused(
    here: Path, tmp_path_factory: pytest.TempPathFactory, module: str, says: str
) -> None:
    outside = tmp_path_factory.mktemp("outside") / "less.py"
    outside.write_text(LESS, encoding="utf-8")
    (here / "own" / "link.py").symlink_to(outside)
    (here / "own" / "broken.py").write_text("class Less(", encoding="utf-8")
    (here / "own" / "empty.py").write_text("class Less: ...\n", encoding="utf-8")
    (here / "own" / "other.py").write_text(LESS.replace('"less"', '"other"'), encoding="utf-8")
    (here / "own" / "exit.py").write_text("raise SystemExit(0)\n", encoding="utf-8")
    (here / "own" / "loop.py").symlink_to("loop.py")
    before = set(sys.modules)
    said = refusal(registry.task, "less", module)
    assert said.startswith("params.yaml: problems.less.module: ")
    assert says in said
    if "cannot be loaded" in says and "AttributeError" not in says:
        assert set(sys.modules) == before, "what did not load leaves no module"


def test_files_of_one_name_are_modules_of_their_own(here: Path) -> None:
    (here / "more").mkdir()
    (here / "more" / "less.py").write_text(LESS.replace('"less"', '"other"'), encoding="utf-8")
    tasks = [registry.task("less", "own/less.py:Less"), registry.task("other", "more/less.py:Less")]
    for task in tasks:
        assert sys.modules[type(task).__module__].Less is type(task)


@pytest.mark.parametrize(
    ("script", "says"),
    [
        (
            "raise RuntimeError('no\\nlicence')",
            "cannot be loaded: RuntimeError: no\\nlicence; mend it or install it anew",
        ),
        ("raise SystemExit", "cannot be loaded: SystemExit: ; mend it or install it anew"),
        ("return None", "has no feedback and no improve; see docs/extending.md"),
    ],
)
def test_a_script_that_is_no_expert_is_refused_where_it_is_named(here: Path, script: str, says: str) -> None:
    code = f"{LESS}\n    def script(self):\n        {script}\n"
    (here / "own" / "less.py").write_text(code, encoding="utf-8")
    said = refusal(registry.expert, registry.task("less", "own/less.py:Less"), "script", "improve")
    assert said == f"params.yaml: problems.less.expert.improve: the task's script {says}"


def test_experts_are_found_by_name_or_refused_with_what_to_do(here: Path) -> None:
    less = registry.task("less", "own/less.py:Less")
    assert isinstance(registry.expert(less, "grader", "feedback"), Grader)
    assert refusal(registry.expert, less, "script", "feedback") == (
        "params.yaml: problems.less.expert.feedback: script, but the task brings none; "
        "write grader, or the name of a plug-in"
    )
    said = refusal(registry.expert, less, "scrpt", "improve")
    assert said.startswith(
        "params.yaml: problems.less.expert.improve: unknown expert 'scrpt'; did you mean 'script'?"
    )


def test_plugins_that_do_not_load_or_are_brought_twice(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    one, two = here / "one", here / "two"
    points = "[tripost.experts]\nabsent = no_such_module:X\nloud = loud:make\nhalf = half:make\ntwice = half:make\n"
    loud, half = "raise RuntimeError('no\\nlicence')", "def make(task):\n    return task\n"
    install(one, "first", f"{points}exits = exits:make\n", loud=loud, half=half, exits="raise SystemExit\n")
    install(two, "second", "[tripost.experts]\ntwice = loud:make\n")
    monkeypatch.syspath_prepend(str(one))
    monkeypatch.syspath_prepend(str(two))
    less = registry.task("less", "own/less.py:Less")
    assert "cannot be loaded: ModuleNotFoundError" in refusal(registry.expert, less, "absent", "feedback")
    assert "cannot be loaded: RuntimeError: no\\nlicence" in refusal(registry.expert, less, "loud", "feedback")
    assert "cannot be loaded: SystemExit" in refusal(registry.expert, less, "exits", "feedback")
    assert "has no feedback and no improve" in refusal(registry.expert, less, "half", "feedback")
    said = refusal(registry.expert, less, "twice", "feedback")
    assert said == "first and second both bring 'twice' (tripost.experts); uninstall one of them"
    assert {"script", "grader", "twice"} <= set(registry.expert_names())


def test_prompts_are_files_of_a_package(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    install(here / "site", "words", "[tripost.prompts]\nwords = words_prompts.texts\n")
    folder = here / "site" / "words_prompts" / "texts" / "less"
    folder.mkdir(parents=True)
    (folder / "feedback.md").write_text("Where is it wrong?\n", encoding="utf-8")
    (folder / "improve.md").write_bytes(b"\xff")
    (here / "site" / "words_prompts" / "secret.md").write_text("x", encoding="utf-8")
    monkeypatch.syspath_prepend(str(here / "site"))
    assert registry.prompt("words", "less", "feedback") == "Where is it wrong?\n"
    assert "less/improve.md in words_prompts.texts is not UTF-8" in refusal(
        registry.prompt, "words", "less", "improve"
    )
    (folder / "improve.md").write_bytes(b"x" * (registry.MAX_PROMPT + 1))
    assert f"more than {registry.MAX_PROMPT} bytes" in refusal(registry.prompt, "words", "less", "improve")
    assert "has no more/feedback.md; write it" in refusal(registry.prompt, "words", "more", "feedback")
    assert "no role 'feedbak'; did you mean 'feedback'?" in refusal(registry.prompt, "words", "less", "feedbak")
    assert "did you mean 'words'?" in refusal(registry.prompt, "wrds", "less", "feedback")
    for task in ("..", "../..", "less/..", "/etc", "", "a\0b", "less/feedback"):
        assert "is no task's name" in refusal(registry.prompt, "words", task, "feedback")


def test_without_a_plug_in_there_is_no_prompt_set() -> None:
    said = refusal(registry.prompt, "tripost", "word_sorting", "feedback")
    assert said == "unknown prompt set 'tripost'; known: none"


X = arithmetic_problem()
RIGHT = attempt(str(X.rationale))
WRONG = attempt(str(X.rationale).replace("is -5", "is 5"))


def test_a_grader_says_what_it_can_and_nothing_false() -> None:
    grader = Grader(registry.task(ARITHMETIC))
    verdict = grader.feedback(X, RIGHT)
    assert isinstance(verdict, Feedback)
    assert (verdict.says_correct, verdict.author) == (True, "grader")
    assert isinstance(grader.feedback(X, WRONG), CannotJudge)
    assert grader.improve(X, WRONG, verdict) == CannotImprove("a grader improves nothing", never=True)


class Fixed:
    """An expert that always says the same."""

    def __init__(self, verdict: Feedback | CannotJudge, update: Attempt | CannotImprove) -> None:
        self.verdict, self.update = verdict, update

    def feedback(self, problem: Problem, attempt: Attempt) -> Feedback | CannotJudge:
        return self.verdict

    def improve(self, problem: Problem, attempt: Attempt, feedback: Feedback) -> Attempt | CannotImprove:
        return self.update


def test_of_several_experts_the_first_that_can_is_heard() -> None:
    task = registry.task(ARITHMETIC)
    both = ExpertParams(feedback=("grader", "script"), improve=("grader", "script"))
    expert = chosen.expert(task, both)
    said = [expert.feedback(X, y) for y in (RIGHT, WRONG)]
    assert [verdict.author for verdict in said if isinstance(verdict, Feedback)] == ["grader", "script"]
    found = expert.feedback(X, WRONG)
    assert isinstance(found, Feedback)
    assert isinstance(expert.improve(X, WRONG, found), Attempt)
    assert expert.judges[0].expert is expert.menders[0].expert, "one expert, asked for both, is made once"


def test_where_no_expert_can_all_say_why() -> None:
    silent = Fixed(CannotJudge("a"), CannotImprove("c", never=True))
    dumb = Fixed(CannotJudge("b"), CannotImprove("d"))
    experts = [chosen.Named("one", silent), chosen.Named("two", dumb)]
    expert = chosen.Chosen(experts, experts)
    assert expert.feedback(X, WRONG) == CannotJudge("one: a; two: b")
    verdict = registry.script(ARITHMETIC).feedback(X, WRONG)
    assert isinstance(verdict, Feedback)
    assert expert.improve(X, WRONG, verdict) == CannotImprove("one: c; two: d", never=False)
    alone = chosen.Chosen(experts[:1], experts[:1])
    assert alone.feedback(X, WRONG) == CannotJudge("a")
    assert alone.improve(X, WRONG, verdict) == CannotImprove("c", never=True)


def test_with_a_grader_a_rationale_is_trusted_by_its_answer_and_no_label_is_doubted() -> None:
    from msgspec.structs import replace

    task = registry.task(WORDS)
    good, other, bare = problems(WORDS, 3)
    bad = replace(other, answer="x y z")
    checked, findings = check_rationales([good, bad, replace(bare, rationale=None)], task, Grader(task))
    assert [problem.rationale is None for problem in checked] == [False, True, True]
    assert [(row["id"], row["verdict"]) for row in findings] == [(bad.id, "contradicts its label")]


def test_what_is_named_is_seen_with_its_code(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.toy import raw_params
    from tripost.params_file import check_params

    install(here / "site", "tutors", "[tripost.experts]\ntutor = tutor:make\n", tutor="raise SystemExit\n")
    monkeypatch.syspath_prepend(str(here / "site"))
    raw = raw_params()
    section = {**raw["problems"][WORDS], "module": "own/less.py:Less"}
    raw["problems"] = {"less": {**section, "expert": {"feedback": ["grader", "tutor"], "improve": "grader"}}}
    problems_ = check_params(raw).problems
    first = named(problems_, {})
    assert first["less"]["improve"] == ["grader"]
    grader, tutor = first["less"]["feedback"]
    assert grader == "grader"
    assert {key: tutor[key] for key in ("name", "distribution", "version", "value")} == {
        "name": "tutor", "distribution": "tutors", "version": "1.0", "value": "tutor:make",
    }  # fmt: skip
    assert str(here) not in str(first)
    assert named(problems_, {}) == first
    (here / "site" / "tutor.py").write_text("raise SystemExit  # another\n", encoding="utf-8")
    second = named(problems_, {})
    assert second["less"]["feedback"][1]["sha256"] != tutor["sha256"]
    assert second["less"]["task"] == first["less"]["task"]
    (here / "own" / "less.py").write_text(LESS + "\n", encoding="utf-8")
    assert named(problems_, {})["less"]["task"]["sha256"] != first["less"]["task"]["sha256"]


def test_what_is_ours_is_its_name_alone() -> None:
    from tests.toy import toy_params

    own = {"task": WORDS, "feedback": ["script"], "improve": ["script"]}
    assert named(toy_params().problems, {})[WORDS] == own
