"""Where what belongs to the checkout lives, also from a folder that `dvc exp run` throws away."""

import os
from pathlib import Path

OWN = Path(".tripost")


def home(repo: Path) -> Path:
    """The real repository: `dvc exp run --temp` and queued experiments run in a copy below its `.dvc/tmp`."""
    root = Path(os.environ.get("DVC_ROOT") or repo)
    return root if repo.is_relative_to(root / ".dvc" / "tmp") else repo


def replies_file(repo: Path) -> Path:
    """The log of replies: outside DVC's outputs, one for all experiments of a checkout."""
    return home(repo.absolute()) / OWN / "replies.jsonl"
