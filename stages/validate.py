"""validate: filter, then gate. Every drop has a reason and is kept; a critical finding stops the pipeline."""

from pathlib import Path

from tripost.params import Params
from tripost.shell.stage import run


def main(
    params: Params,
    problems: Path,
    edited: Path,
    model: Path,
    out: Path,
    dropped: Path,
    report: Path,
    page: Path,
    counts: Path,
    quarantine: Path,
    t: str,
) -> None:
    """Write kept and dropped trajectories and the gate's report; where it fails, into `quarantine` instead."""


if __name__ == "__main__":
    run(main)
