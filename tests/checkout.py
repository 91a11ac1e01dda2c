"""A copy of this repository in a folder of its own, with toy params, for tests that need the real DVC."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests.toy import ROOT, raw_params


class Checkout:
    """A copy of the working tree as a git repository of its own; `site` has packages besides the installed ones."""

    def __init__(self, folder: Path, *, site: Path | None = None, **changes: Any) -> None:
        self.folder, self.site = folder, site
        tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
        for name in tracked.splitlines():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, folder / name)
        self.raw = raw_params(**changes)
        self.write()
        for command in ("git init -q", "git add -A", "git -c user.name=t -c user.email=t@t commit -qm toy"):
            subprocess.run(command.split(), cwd=folder, check=True)

    def write(self) -> None:
        """Write the params."""
        with (self.folder / "params.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(self.raw, file)

    def start(self, *arguments: str) -> "subprocess.Popen[str]":
        """Start dvc, as the leader of its own process group; stdout and stderr are one pipe."""
        return subprocess.Popen(
            [sys.executable, "-m", "dvc", *arguments],
            cwd=self.folder,
            env=self.environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )

    def environment(self, threads: int = 1) -> dict[str, str]:
        """That of a stage of this checkout."""
        found = [str(self.folder / "src"), *([str(self.site)] if self.site else [])]
        path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        own = {"PATH": path, "PYTHONPATH": os.pathsep.join(found), "OMP_NUM_THREADS": str(threads)}
        return {**os.environ, **own, "PYTHONUNBUFFERED": "1"}

    def stage(self, name: str, *flags: str, threads: int = 1) -> None:
        """Run one stage by hand."""
        command = [sys.executable, f"stages/{name}.py", *flags]
        subprocess.run(command, cwd=self.folder, env=self.environment(threads), check=True, capture_output=True)

    def dvc(self, *arguments: str) -> tuple[int, str]:
        """Run dvc; its exit code and all that was printed."""
        with self.start(*arguments) as process:
            said, _ = process.communicate()
            return process.returncode, said

    def run(self, *command: str) -> None:
        """Run something else there."""
        subprocess.run(command, cwd=self.folder, check=True, capture_output=True)

    def repro(self) -> list[str]:
        """`dvc repro`; the stages whose commands were run, in order."""
        code, said = self.dvc("repro")
        assert code == 0, said
        return ran(said)

    def evaluation(self) -> str:
        """All metrics of the evaluation as text."""
        return "".join(path.read_text() for path in sorted((self.folder / "eval").glob("*/metrics.json")))


def ran(said: str) -> list[str]:
    """The stages whose commands DVC says it has run."""
    return re.findall(r"^Running stage '(.+)':", said, re.M)
