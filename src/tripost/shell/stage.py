"""What every stage does around its one call: arguments, params, one-line errors, quiet libraries, no orphans.

A stage is `main(params, <paths and names>)`; its command line is read off that signature, so paths stand in
`dvc.yaml` alone and knobs in `params.yaml` alone.
"""

import argparse
import ctypes
import errno
import inspect
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from tripost.errors import TriPosTError, one_line
from tripost.params_file import load_params
from tripost.shell.home import OWN
from tripost.shell.runs import Run, note

PARENT = os.getppid()
"""Who started this process: one that has ended before we asked to end with it does not go unnoticed."""
PRCTL, PR_SET_PDEATHSIG = (ctypes.CDLL(None).prctl if sys.platform == "linux" else None), 1
PARAMS = Path("params.yaml")
QUIET = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "1",
    "DVC_NO_ANALYTICS": "1",
    "GX_ANALYTICS_ENABLED": "false",
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "HF_HUB_DISABLE_PROGRESS_BARS": "1",
    "TRANSFORMERS_VERBOSITY": "error",
    "TOKENIZERS_PARALLELISM": "false",
}
HINTS = {
    errno.ENOSPC: "make room and run dvc repro again: finished work is kept",
    errno.EDQUOT: "make room and run dvc repro again: finished work is kept",
    errno.EROFS: "the file system is mounted read-only; work in another folder",
    errno.EACCES: "give yourself the right to it (chmod, chown), or work in another folder",
    errno.EPERM: "give yourself the right to it (chmod, chown), or work in another folder",
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
}


def run(main: Callable[..., None]) -> None:
    """Run a stage from the command line; exits with 1 and one line on an error."""
    os.environ.update(QUIET)
    end_with(PARENT)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    arguments = _arguments(main)
    name = "@".join([Path(inspect.getfile(main)).stem, *([arguments["t"]] if "t" in arguments else [])])
    try:
        params = load_params(PARAMS)
        with _alone(name):
            started = time.monotonic()
            main(params, **arguments)
            note(Run(stage=name, seconds=time.monotonic() - started))
    except KeyboardInterrupt:
        kept = "; what is finished is kept, dvc repro goes on from it" if arguments.get("partial") else ""
        sys.stderr.write(f"{name}: stopped{kept}\n")
        sys.exit(130)
    except Exception as error:  # the outermost net: each kind becomes its one line, a bug also its traceback file
        sys.exit(trouble(name, error))


def trouble(name: str, error: Exception) -> str:
    """What the terminal gets for an error: the user's, the machine's, or ours."""
    if isinstance(error, TriPosTError):
        return error.report()
    if isinstance(error, OSError):
        return f"error: {refused(error)}"
    if _is_out_of_memory(error):
        return f"error: {name}: out of memory; a smaller batch_size or micro_batch_tokens needs less"
    return _bug(name, error)


def refused(error: OSError) -> str:
    """What the machine did not do, with which file, and what to do about it; one line."""
    where = f"{error.filename}: " if error.filename else ""
    return one_line(f"{where}{error.strerror or error}; {HINTS.get(error.errno or 0, 'mend that, then try again')}")


def _arguments(main: Callable[..., None]) -> dict[str, Any]:
    parser = argparse.ArgumentParser(description=inspect.getdoc(sys.modules[main.__module__]))
    for name, parameter in list(inspect.signature(main, eval_str=True).parameters.items())[1:]:
        optional = parameter.default is not inspect.Parameter.empty
        many = parameter.annotation == list[Path]
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            dest=name,
            type=str if parameter.annotation is str else Path,
            nargs="+" if many else None,
            required=not optional,
            default=parameter.default if optional else None,
        )
    return vars(parser.parse_args())


@contextmanager
def _alone(name: str) -> Iterator[None]:
    """One process a stage and folder: a second one waits, be the first an orphan or somebody's other terminal."""
    path = OWN / "locks" / f"{name}.lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0.5)
    except Timeout:
        print(f"{name}: waiting for another process that runs it in this folder", file=sys.stderr, flush=True)
        lock.acquire()
    try:
        yield
    finally:
        lock.release()


def _bug(name: str, error: Exception) -> str:
    """One line for what nobody has foreseen; the traceback goes to a file."""
    path = OWN / "crash" / f"{name}.txt"
    said = one_line(f"{type(error).__name__}: {error}"[:300])
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("".join(traceback.format_exception(error)), encoding="utf-8")
    except OSError as refused:
        return f"error: {name}: a bug of this program ({said}); {path} could not be written: {refused.strerror}"
    return f"error: {name}: a bug of this program ({said}); please report it with {path}"


def _is_out_of_memory(error: Exception) -> bool:
    """Python's error, or torch's: a class of its own on a GPU, a RuntimeError on a CPU."""
    return (
        isinstance(error, MemoryError)
        or type(error).__name__ == "OutOfMemoryError"
        or "can't allocate memory" in str(error)
    )


def end_with(parent: int) -> None:
    """DVC that is killed leaves its stage running, and the next repro starts it a second time: end with DVC."""
    if PRCTL:
        PRCTL(PR_SET_PDEATHSIG, signal.SIGTERM)
    else:
        threading.Thread(target=watch, args=(parent,), daemon=True).start()
    if os.getppid() != parent:
        sys.exit(143)


def watch(parent: int, seconds: float = 1.0) -> None:
    """End this process once `parent` is no longer its parent; for systems that cannot do it themselves."""
    while os.getppid() == parent:
        time.sleep(seconds)
    os.kill(os.getpid(), signal.SIGTERM)
