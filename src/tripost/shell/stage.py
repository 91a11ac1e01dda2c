"""What every stage does around its one call: arguments, params, one-line errors, quiet libraries, no orphans.

A stage is `main(params, <paths and names>)`; its command line is read off that signature, so paths stand in
`dvc.yaml` alone and knobs in `params.yaml` alone.
"""

import argparse
import ctypes
import inspect
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tripost.errors import TriPosTError
from tripost.params_file import load_params

PARENT = os.getppid()
"""Who started this process: one that has ended before we asked to end with it does not go unnoticed."""
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


def run(main: Callable[..., None]) -> None:
    """Run a stage from the command line; exits with 1 and one line on an error of the user's."""
    os.environ.update(QUIET)
    _die_with_parent()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
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
    arguments: dict[str, Any] = vars(parser.parse_args())
    try:
        main(load_params(PARAMS), **arguments)
    except TriPosTError as error:
        sys.exit(f"error: {error}")
    except KeyboardInterrupt:
        sys.exit(130)


def _die_with_parent() -> None:
    """DVC that is killed leaves its stage running, and the next repro starts it a second time: end with DVC."""
    if sys.platform == "linux":
        pr_set_pdeathsig = 1
        ctypes.CDLL(None).prctl(pr_set_pdeathsig, signal.SIGTERM)
        if os.getppid() != PARENT:
            sys.exit(143)
