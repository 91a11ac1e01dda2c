"""`tripost replies`: the log of what LLMs have answered: its size and cost, what is in it, and what to take out.

tripost replies                             size, cost and outcomes by task, role and model; hits
tripost replies export FILE [--task T ...]  replies with what was asked, one JSON object a line; - for the terminal
tripost replies prune --outcome length      what would go; with --yes it goes, and is asked and paid anew when needed
"""

import argparse
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path

import msgspec
from rich.table import Table

from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Reply
from tripost.cli.screen import clean, console
from tripost.errors import DataError, ParamsError
from tripost.params_file import load_params
from tripost.shell.home import replies_file
from tripost.shell.runs import runs
from tripost.shell.stage import PARAMS

NUMBERS = ("replies", "tokens in", "out", "cost")
OUTCOMES = ("answered", "length", "content_filter", "refusal", "empty")


def main(argv: Sequence[str]) -> int | None:
    """Print, export or prune."""
    arguments = _arguments(argv)
    path = replies_file(Path())
    if not path.exists():
        print(f"{path.name}: no LLM has answered yet; see docs/llm-experts.md")
        return None
    log = ReplyLog(path)
    if arguments.do == "export":
        return _export(log, arguments)
    if arguments.do == "prune":
        return _prune(log, arguments)
    _show(log)
    return None


def _arguments(argv: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="tripost replies", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    commands = parser.add_subparsers(dest="do", metavar="COMMAND")
    export = commands.add_parser("export", help="write replies to a file")
    export.add_argument("file", metavar="FILE", help="where to; - for the terminal")
    prune = commands.add_parser("prune", help="take replies out of the log")
    prune.add_argument("--yes", action="store_true", help="do it; without, it is only said")
    prune.add_argument("--broken", action="store_true", help="lines that are no replies")
    for command in (export, prune):
        command.add_argument("--task", help="of this task")
        command.add_argument("--role", choices=("feedback", "improve"), help="of this role")
        command.add_argument("--model", help="of this model")
        command.add_argument("--outcome", choices=OUTCOMES, help="how it ended")
    return parser.parse_args(argv)


def _chosen(log: ReplyLog, arguments: argparse.Namespace) -> Iterator[Reply]:
    wanted = {
        "task": arguments.task,
        "purpose": arguments.role,
        "model": arguments.model,
        "outcome": arguments.outcome,
    }
    wanted = {name: value for name, value in wanted.items() if value is not None}
    return (reply for reply in log.replies() if all(getattr(reply, name) == said for name, said in wanted.items()))


def _show(log: ReplyLog) -> None:
    out = console()
    groups: dict[tuple[str, str, str], list[float]] = defaultdict(lambda: [0, 0, 0, 0])
    outcomes: dict[tuple[str, str, str], Counter[str]] = defaultdict(Counter)
    for reply in log.replies():
        name: tuple[str, str, str] = (reply.task, reply.purpose, reply.model)
        for place, amount in enumerate((1, reply.prompt_tokens, reply.completion_tokens, reply.cost)):
            groups[name][place] += amount
        outcomes[name][reply.outcome] += 1
    table = Table(box=None, pad_edge=False)
    for heading in ("task", "role", "model", "replies", "tokens in", "out", "cost", "unusable"):
        table.add_column(heading, justify="right" if heading in NUMBERS else "left", overflow="fold")
    for group, (count, prompt, completion, cost) in sorted(groups.items()):
        odd = ", ".join(f"{n} {what}" for what, n in sorted(outcomes[group].items()) if what != "answered")
        figures = (f"{count:,.0f}", f"{prompt:,.0f}", f"{completion:,.0f}", f"{cost:,.4f}")
        table.add_row(*map(clean, group), *figures, clean(odd) or "-")
    out.print(table)
    size = log.path.stat().st_size
    lost = f", {log.charged:,.4f} of it for {log.charges:,} calls without a reply" if log.charges else ""
    broken = f", {log.broken} lines that are none (prune --broken)" if log.broken else ""
    print(f"\n{len(log):,} replies{broken}, {size / 1e6:,.1f} MB, cost {log.total_cost:,.4f}{_of_budget()}{lost}")
    asked = [run for run in runs() if run.used]
    used, known = sum(run.used for run in asked), sum(run.known for run in asked)
    if used:
        hits = f"{known:,} of them ({100 * known / used:.0f} %) were in the log"
        print(f"{used:,} used by {len(asked)} runs of stages; {hits}")


def _of_budget() -> str:
    try:
        most = load_params(PARAMS).calls.max_cost
    except ParamsError:
        return ""
    return f" of {most:,.2f} (calls.max_cost)" if most is not None else ""


def _export(log: ReplyLog, arguments: argparse.Namespace) -> int | None:
    encoder = msgspec.json.Encoder(order="deterministic")
    if arguments.file == "-":
        for reply in _chosen(log, arguments):
            line = encoder.encode(reply).decode()
            print(clean(line) if sys.stdout.isatty() else line)
        return None
    path = Path(arguments.file)
    if path.exists():
        raise DataError(f"{path}: is there already; name another file, or take it away")
    writing = path.with_name(f".{path.name}.writing")
    count = 0
    try:
        with writing.open("xb") as file:
            for reply in _chosen(log, arguments):
                file.write(encoder.encode(reply) + b"\n")
                count += 1
            os.fsync(file.fileno())
        writing.rename(path)
    finally:
        writing.unlink(missing_ok=True)
    print(f"{path}: {count:,} replies", file=sys.stderr)
    return None


def _prune(log: ReplyLog, arguments: argparse.Namespace) -> int | None:
    named = (arguments.task, arguments.role, arguments.model, arguments.outcome)
    if not arguments.broken and not any(named):
        raise DataError("prune: say which: --task, --role, --model, --outcome or --broken")
    unreadable = log.unreadable()
    if unreadable and not arguments.broken:
        raise DataError(
            f"{log.path}: {len(unreadable)} lines are no replies; first: tripost replies prune --broken --yes"
        )
    broken = (log.broken + len(unreadable)) if arguments.broken else 0
    going = {r.key: r.cost for r in _chosen(log, arguments)} if any(named) and not unreadable else {}
    what = f"{len(going):,} replies that cost {sum(going.values()):,.4f}" + (
        f" and {broken} broken lines" * bool(broken)
    )
    if not arguments.yes:
        print(f"{what} would go; to take them out: the same with --yes")
        return None
    log.drop(going.keys() | unreadable)
    print(f"{what} are gone")
    return None
