"""Which files a stage's result depends on: its real import closure, and the modules of each enabled task.

python -m tests.pipeline_deps        prints the code deps that dvc.yaml must list for each stage
"""

import functools
from pathlib import Path

import grimp

ROOT = Path(__file__).resolve().parent.parent

CARRIERS = {
    "tripost": "says the version",
    "tripost.errors": "names errors",
    "tripost.credentials": "hides what must not be shown",
    "tripost.files": "opens files",
    "tripost.interfaces": "declares Protocols",
    "tripost.registry": "holds strings; what they name is listed by itself",
    "tripost.params": "carries values of params.yaml, which DVC tracks by key",
    "tripost.params_file": "reads them",
    "tripost.params_yaml": "reads their file",
    "tripost.params_source": "carries values of params.yaml, too",
    "tripost.params_model": "likewise",
    "tripost.params_llm": "likewise",
    "tripost.params_serve": "likewise",
    "tripost.chat": "is empty",
    "tripost.chat.asking": "declares a Protocol, counts what was used",
    "tripost.chat.asker": "has requests answered; what was answered is in the log",
    "tripost.chat.batch": "likewise, in batches",
    "tripost.chat.batch_answers": "reads what came of one",
    "tripost.chat.batch_api": "sends them",
    "tripost.chat.batch_claims": "pays for them",
    "tripost.chat.batch_notes": "knows which are under way",
    "tripost.chat.batch_rows": "writes and reads their lines",
    "tripost.chat.client": "likewise",
    "tripost.chat.library": "likewise",
    "tripost.chat.completions": "has prompts completed; what is sent is in models/endpoint.py",
    "tripost.chat.said": "reads what came",
    "tripost.chat.in_order": "keeps the order of rows",
    "tripost.chat.claims": "says who is asking",
    "tripost.chat.till": "counts what was paid",
    "tripost.chat.torn": "appends lines",
    "tripost.chat.money": "counts what was paid",
    "tripost.chat.outcomes": "names what went wrong with a call",
    "tripost.chat.pacing": "decides when a call is sent",
    "tripost.chat.reply_log": "holds replies",
    "tripost.shell.runs": "notes how long stages took",
    "tripost.models.proof": "refuses an endpoint that serves another model",
    "tripost.shell.serving": "starts a server",
    "tripost.shell.warden": "ends it",
    "tripost.shell.home": "says where the log lies",
    "tripost.chain": "refuses iterations without a beginning",
    "tripost.shell.stage": "reads arguments",
    "tripost.shell.progress": "draws bars",
    "tripost.shell": "is empty",
    "tripost.models": "is empty",
    "tripost.tasks": "is empty",
}
"""Modules that cannot change a result; a change of theirs must not repeat hours of work."""

TASKS = [
    "tripost.tasks.date_understanding",
    "tripost.tasks.logical_deduction",
    "tripost.tasks.multistep_arithmetic",
    "tripost.tasks.word_sorting",
]
EXPERTS = ["tripost.experts.script", "tripost.experts.grader"]
READ_BESIDES = {
    "tripost.shell.page": "src/tripost/shell/page.html",
    "tripost.experts.prompt_files": "src/tripost/experts/prompts",
}
"""Files that are no modules, by the module that reads them."""

USES_TASKS = {"base_model", "problems", "edit", "validate", "eval"}
"""Stages that ask the registry for tasks: they see plug-ins by data/plugins.json."""
USES_EXPERTS = USES_TASKS - {"validate"}
"""Stages that ask it for experts."""


@functools.cache
def _graph() -> grimp.ImportGraph:
    return grimp.build_graph("tripost", "stages", cache_dir=None)


def code_deps(stage: str) -> set[str]:
    """Paths, relative to the repository, of the files and task folders on which a stage's result depends."""
    graph = _graph()
    roots = {f"stages.{stage}"}
    if stage in USES_TASKS:
        roots |= {module for module in graph.modules if module.startswith(tuple(TASKS))}
    roots |= set(EXPERTS) if stage in USES_EXPERTS else set()
    closure = set(roots)
    for root in roots:
        closure |= graph.find_upstream_modules(root)
    paths: set[str] = set()
    for module in closure - set(CARRIERS) - {"stages"}:
        task = next((name for name in TASKS if module == name or module.startswith(name + ".")), None)
        paths.add(_path(task or module))
        paths |= {READ_BESIDES[module]} if module in READ_BESIDES else set()
    return paths


def _path(module: str) -> str:
    base = Path("stages" if module.startswith("stages") else "src", *module.split(".")[module.startswith("stages") :])
    if (ROOT / base).is_dir():
        return str(base)
    return f"{base}.py"


if __name__ == "__main__":
    import sys

    for name in sorted(path.stem for path in (ROOT / "stages").glob("*.py") if path.stem != "__init__"):
        sys.stdout.write(f"{name}:\n" + "".join(f"      - {path}\n" for path in sorted(code_deps(name))))
