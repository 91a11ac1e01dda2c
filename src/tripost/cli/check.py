"""`tripost check`: params.yaml, and whether it fits what lies around it, before anything runs.

Every finding is one line, all of them at once: unknown or mistyped keys, the chain of iterations, tasks that nobody
registered, files of problems that are missing or start with a bad row, a base model that cannot be taught.
"""

import argparse
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from tripost import registry
from tripost.chat.library import api_key
from tripost.errors import EndpointError, ModelError, TriPosTError
from tripost.experts import chosen, prompt_files
from tripost.imported import read_problem
from tripost.models.folder import check_chat_template, check_folder, names_a_folder
from tripost.params import ModelParams, Params, SourceParams
from tripost.params_file import load_params
from tripost.problems import check_difficulties
from tripost.shell.sources import each_row
from tripost.shell.stage import PARAMS


def main(argv: Sequence[str]) -> int | None:
    """Print `params.yaml: fine`, or one line a finding; 1 where there is one."""
    parser = argparse.ArgumentParser(prog="tripost check", description=__doc__)
    parser.parse_args(argv)
    params = load_params(PARAMS)
    found = list(findings(params))
    for error in found:
        print(error.report(), file=sys.stderr)
    if found:
        return 1
    keys = {f"calls.endpoints.{name}.key": params.calls.endpoints[name].key for name in sorted(_asked(params))}
    if params.model.backend == "openai":
        keys["serve.key"] = params.serve.key
    for where, variable in keys.items():
        try:
            api_key(f"{PARAMS}: {where}", variable)
        except EndpointError as error:  # what is in the log needs none
            print(f"note: {error}", file=sys.stderr)
    print(f"{PARAMS}: fine")
    return None


def _asked(params: Params) -> set[str]:
    """The LLMs that tasks name."""
    named = {name for s in params.problems.values() for name in (*s.expert.feedback, *s.expert.improve)}
    return named & params.llms.keys()


def findings(params: Params) -> Iterator[TriPosTError]:
    """Everything that checked params name and that is not there, or cannot be used."""
    for name, source in sorted(params.problems.items()):
        try:
            _check_source(name, source, params)
        except TriPosTError as error:
            yield error
    try:
        _check_base(params.model)
    except TriPosTError as error:
        yield error


def _check_source(name: str, source: SourceParams, params: Params) -> None:
    """The task and its experts can be had; the first row of its file can be read as its problem."""
    task = registry.task(name, source.module)
    chosen.expert(task, source.expert, params.llms)
    for role in registry.ROLES:
        for expert in getattr(source.expert, role):
            if expert in params.llms:
                prompt_files.load(params.llms[expert].prompts, name, role)
    if source.source != "jsonl":
        check_difficulties(task, source)
    if source.source == "generated":
        return
    where, row = next(each_row(source))
    read_problem(task, source.source, where, row)


def _check_base(model: ModelParams) -> None:
    """One of ours, a folder that can be loaded, or what may be a name on the hub (`name` or `owner/name`)."""
    if model.base in ("embedded", "scratch") or not names_a_folder(model.base):
        return
    try:
        check_folder(Path(model.base))
    except ModelError as error:
        raise ModelError(f"{PARAMS}: model.base: {error}") from None
    if model.format == "chat_template":
        try:
            check_chat_template(Path(model.base))
        except ModelError as error:
            raise ModelError(f"{PARAMS}: model.format: {error}") from None
