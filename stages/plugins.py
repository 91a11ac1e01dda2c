"""plugins: whose code the tasks and experts are that the params name, for DVC to see when it changes."""

from pathlib import Path

from tripost.params import Params
from tripost.plugins import named
from tripost.shell.io import write_json
from tripost.shell.stage import run


def main(params: Params, out: Path) -> None:
    """Write name, package, version and a hash of the files of every plug-in; of what is ours, the name."""
    write_json(out, named(params.problems, params.llms))


if __name__ == "__main__":
    run(main)
