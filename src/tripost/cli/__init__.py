"""The command line: `tripost COMMAND`. One file a command, imported when it is asked for.

A new command is one line of COMMANDS: its name, "module:function" and what it does. The function takes the words
behind the command's name and returns an exit code, or None for 0.
"""

import argparse
import importlib
import io
import os
import sys
from collections.abc import Callable, Sequence
from typing import cast

from tripost import __version__

COMMANDS = {
    "table": ("tripost.cli.table:main", "the results of all iterations, and what they allow one to say"),
    "show": ("tripost.cli.show:main", "read trajectories: attempts, feedback, updates, and why rows were dropped"),
    "mend": ("tripost.cli.mend:main", "set aside what a killed DVC has left half written"),
    "check": (
        "tripost.cli.check:main",
        "whether params.yaml is right and fits the files it names; a run starts with it",
    ),
    "plan": (
        "tripost.cli.plan:main",
        "what dvc repro would run and why: calls, money, minutes, disk; refuses what falls short",
    ),
    "replies": ("tripost.cli.replies:main", "what LLMs have answered: size, cost, hits; export, prune"),
    "profile": ("tripost.cli.profile:main", "set params for a model of 0.5B, 1.5B or 8B parameters"),
    "doctor": ("tripost.cli.doctor:main", "look at this machine and checkout: what works, what does not, what to do"),
}
Command = Callable[[Sequence[str]], int | None]


def main(argv: Sequence[str] | None = None) -> int | None:
    """Run one command. An error of the user's is one line and exit code 1; Ctrl-C is 130."""
    try:
        code = _run(sys.argv[1:] if argv is None else argv)
        sys.stdout.flush()
        return code
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:  # `tripost ... | head`; nothing is left to say, not even at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except Exception as error:  # the outermost net, as a stage's
        from tripost.shell.stage import trouble

        print(trouble("tripost", error), file=sys.stderr)
        return 1


def _run(argv: Sequence[str]) -> int | None:
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.command is None:
        parser.print_help()
        return 2
    if arguments.command not in COMMANDS:
        from tripost.registry import did_you_mean

        parser.error(f"there is no command {arguments.command!r}; {did_you_mean(arguments.command, [*COMMANDS])}")
    from tripost.shell.stage import QUIET

    os.environ.update(QUIET)
    if isinstance(sys.stdout, io.TextIOWrapper):  # a terminal that cannot show a character gets its escape
        sys.stdout.reconfigure(errors="backslashreplace")
    module, _, function = COMMANDS[arguments.command][0].partition(":")
    command = cast(Command, getattr(importlib.import_module(module), function))
    return command(arguments.words)


def _parser() -> argparse.ArgumentParser:
    listed = "\n".join(f"  {name:<8} {does}" for name, (_, does) in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="tripost",
        usage="tripost [-h] [--version] COMMAND ...",
        description="Teach a small language model to correct itself, from its own mistakes.",
        epilog=f"commands:\n{listed}\n\n`tripost COMMAND --help` says more.",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tripost {__version__}")
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    parser.add_argument("words", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return parser
