"""A server that a stage starts on a model's folder, waits for, and ends."""

import http.client
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

from tripost.chat.library import HERE
from tripost.errors import EndpointError, one_line
from tripost.models.adapter import is_adapter
from tripost.models.load import load_model, load_tokenizer, save_whole
from tripost.params_serve import ServeParams
from tripost.shell.home import OWN

HOST = "127.0.0.1"
DTYPES = {"fp32": "float32", "bf16": "bfloat16"}
POLL = 0.1
PATIENCE = 15.0
"""Seconds for the warden to end its command; a little more than it takes at most."""
TAIL = 20_000


class Server(NamedTuple):
    """A server that is there: its address, the folder it serves, and a check that it did not end since."""

    base_url: str
    folder: Path
    still_there: Callable[[], None]


@contextmanager
def _gone_unless_made(folder: Path) -> Iterator[None]:
    try:
        yield
    except BaseException:  # a Ctrl-C as well: a whole model must not stay
        shutil.rmtree(folder, ignore_errors=True)
        raise


@contextmanager
def serving(
    params: ServeParams, model: Path, precision: str, name: str, hidden: Collection[str] = ()
) -> Iterator[Server]:
    """Start `serve.command` on the model's folder. Raises EndpointError where it ends, or is not ready in time.

    It ends with this context, with the stage, and with whatever kills the stage. An adapter is merged first: the
    server gets a whole model. `hidden`: variables that it does not get, keys of other endpoints. What it writes goes
    to .tripost/serve/<name>.log, without its key.
    """
    place = (OWN / "serve").absolute()
    place.mkdir(parents=True, exist_ok=True)
    folder, log = model.absolute(), place / f"{name}.log"
    if is_adapter(model):
        folder = place / f"{name}.model"
        with _gone_unless_made(folder):
            save_whole(folder, load_model(str(model), precision), load_tokenizer(str(model)))
    port = free_port()
    words = params.words({"model": str(folder), "port": str(port), "host": HOST, "dtype": DTYPES[precision]})
    base_url = params.base_url or f"http://{HOST}:{port}/v1"
    warden = [sys.executable, "-P", "-m", "tripost.shell.warden", str(os.getpid()), params.key or "-"]
    kept_from_it = {*hidden} - {params.key}
    shown = log.relative_to(Path.cwd())
    with log.open("wb") as out:
        process = subprocess.Popen(
            [*warden, *words],
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            env={variable: value for variable, value in os.environ.items() if variable not in kept_from_it},
            start_new_session=True,  # a Ctrl-C is for the stage, which ends it
        )

    def still_there() -> None:
        status = process.poll()
        if status is not None:
            said = f"it ended with {status}: {last_line(log)}; see {shown}, then run dvc repro"
            raise EndpointError(f"params.yaml: serve.command: {said}")

    try:
        end = time.monotonic() + params.wait_s
        while not ready(base_url):
            still_there()
            if time.monotonic() > end:
                late = f"not ready in {params.wait_s:.0f} s: {last_line(log)}; see {shown}, or raise serve.wait_s"
                raise EndpointError(f"params.yaml: serve.command: {late}")
            time.sleep(POLL)
        still_there()
        yield Server(base_url, folder, still_there)
    finally:
        process.terminate()
        try:
            process.wait(PATIENCE)
        finally:
            process.kill()
            process.wait()
            if folder != model.absolute():
                shutil.rmtree(folder, ignore_errors=True)


def ready(base_url: str) -> bool:
    """Whether the server answers: at /health, or where it has none, at /v1/models."""
    root = base_url.rstrip("/").removesuffix("/v1")
    status = _status(f"{root}/health")
    if status in (404, 405):
        return _status(f"{base_url.rstrip('/')}/models") in (200, 401, 403)
    return status == 200


def _status(address: str) -> int | None:
    direct = urlsplit(address).hostname in HERE
    opener = urllib.request.build_opener(*([urllib.request.ProxyHandler({})] if direct else []))
    try:
        with opener.open(address, timeout=5) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        return error.code
    except (OSError, http.client.HTTPException, ValueError):
        return None


def free_port() -> int:
    """A port that nobody listens at."""
    with socket.socket() as found:
        found.bind((HOST, 0))
        return int(found.getsockname()[1])


def last_line(log: Path) -> str:
    """The last line of a log that says something."""
    with log.open("rb") as file:
        file.seek(max(0, log.stat().st_size - TAIL))
        lines = file.read().decode(errors="replace").split("\n")
    said = [line.split("\r")[-1].strip() for line in lines if line.strip()]
    return one_line(said[-1])[:300] if said else "it wrote nothing"
