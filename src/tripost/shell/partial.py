"""What is finished of a stage's work while the stage still runs: kept through Ctrl-C, TERM and -9, gone on success.

It lives in `.tripost/partial/<stage>@<t>/<fingerprint>/`. The fingerprint is that of everything that shapes the
result (params, input files, code, versions), so that nothing of another state is ever mixed in.
"""

import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b, sha256
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
from pydantic import BaseModel

from tripost.errors import DataError
from tripost.files import open_regular
from tripost.interfaces import Completion, Decoder, Sampling
from tripost.records import Record
from tripost.shell.io import file_sha256
from tripost.shell.lines import MAX_LINE_BYTES
from tripost.shell.progress import Progress

LIBRARIES = ("accelerate", "peft", "numpy", "tokenizers", "torch", "transformers")
SYNC_SECONDS = 2.0
"""A process that is killed loses nothing; a machine that loses power loses this much."""


@contextmanager
def partial_work(folder: Path | None, *inputs: object) -> Iterator[Path]:
    """A folder for finished work that belongs to these inputs: params, numbers, names, and paths for their content.

    It is there again when the same work starts anew after an interruption. On success it is removed, and with it what
    other inputs have left of the same stage. Without `folder`, one that does not outlive this call. Enter it before
    the inputs are read. Raises DataError where they have changed at the end.
    """
    if folder is None:
        with TemporaryDirectory(prefix="tripost-") as passing:
            yield Path(passing)
        return
    before = fingerprint(*inputs)
    here = folder / fingerprint(program(), before)[:16]
    here.mkdir(parents=True, exist_ok=True)
    yield here
    if fingerprint(*inputs) != before:
        raise DataError(f"{folder.name}: an input was changed while the stage ran; run dvc repro again")
    if folder.is_symlink():
        folder.unlink()
    shutil.rmtree(folder, ignore_errors=True)


def fingerprint(*inputs: object) -> str:
    """The sha256 of inputs: of what they are, of a path its content."""
    digest = sha256()
    for item in inputs:
        digest.update(f"{_content(item)}\n".encode())
    return digest.hexdigest()


def program() -> str:
    """The sha256 of this program's modules as far as the stage has imported them, and the versions of the libraries
    that do the arithmetic. A change to another module, such as a command's, costs no finished work."""
    loaded = {name: module.__file__ for name, module in sys.modules.items() if name.partition(".")[0] == "tripost"}
    code = [Path(file) for _, file in sorted(loaded.items()) if file]
    return fingerprint(*code, *(f"{name} {version(name)}" for name in LIBRARIES))


def _content(item: object) -> str:
    if isinstance(item, BaseModel):
        return item.model_dump_json()
    if isinstance(item, Path) and not item.exists():
        return "not there"  # whoever reads it says so better
    if isinstance(item, Path) and item.is_dir():
        inside = sorted(path for path in item.rglob("*") if path.is_file())
        return "".join(f"{path.relative_to(item)} {file_sha256(path)}\n" for path in inside)
    return file_sha256(item) if isinstance(item, Path) else repr(item)


class Kept(Record, frozen=True, kw_only=True):
    """A completion as it is kept. `key` names prompt, sampling and seed, hence problem, sample and turn."""

    key: str
    text: str
    n_tokens: int
    finished: bool


class Remembering:
    """A Decoder that keeps each completion as soon as it is written, and does not decode it a second time.

    What another kind of `device` has written is not taken: its rounding is another.
    """

    def __init__(self, decoder: Decoder, folder: Path, bar: Progress) -> None:
        self.decoder, self.bar, self.device = decoder, bar, decoder.device
        self.path = folder / "completions.jsonl"
        self.known = _read_kept(self.path)
        self.file = self.path.open("ab", buffering=0)
        self.synced = time.monotonic()
        if self.known:
            sys.stderr.write(f"{bar.what}: {len(self.known)} completions are there from an interrupted run\n")

    def complete(
        self,
        prompts: Sequence[str],
        sampling: Sampling,
        seeds: Sequence[int],
        on_tokens: Callable[[int, int], None] = lambda rows, tokens: None,
        on_row: Callable[[int, Completion], None] = lambda row, completion: None,
    ) -> list[Completion]:
        """As the decoder itself does."""
        keys = [self._key(prompt, sampling, seed) for prompt, seed in zip(prompts, seeds, strict=True)]
        missing = [row for row, key in enumerate(keys) if key not in self.known]
        self.bar.skip(len(prompts) - len(missing))

        def keep(place: int, completion: Completion) -> None:
            self._keep(keys[missing[place]], completion)
            on_row(missing[place], completion)

        written = self.decoder.complete(
            [prompts[row] for row in missing], sampling, [seeds[row] for row in missing], on_tokens, keep
        )
        os.fsync(self.file.fileno())
        new = dict(zip(missing, written, strict=True))
        return [new[row] if row in new else self.known[key] for row, key in enumerate(keys)]

    def count_tokens(self, texts: Sequence[str]) -> list[int]:
        """Tokens of each text as a training example, EOS included."""
        return self.decoder.count_tokens(texts)

    def _key(self, prompt: str, sampling: Sampling, seed: int) -> str:
        return blake2b(msgspec.json.encode((prompt, sampling, seed, self.device)), digest_size=16).hexdigest()

    def _keep(self, key: str, completion: Completion) -> None:
        row = Kept(key=key, text=completion.text, n_tokens=completion.n_tokens, finished=completion.finished)
        rest = msgspec.json.encode(row) + b"\n"
        try:
            while rest:
                rest = rest[self.file.write(rest) :]
        except OSError as error:
            error.filename = str(self.path)
            raise
        if time.monotonic() - self.synced > SYNC_SECONDS:
            os.fsync(self.file.fileno())
            self.synced = time.monotonic()

    def __enter__(self) -> "Remembering":
        return self

    def __exit__(self, *_: object) -> None:
        self.file.close()


def _read_kept(path: Path) -> dict[str, Completion]:
    """What can be read. The file is cut off before the first line that was not written to its end.

    Raises OSError where a link, or no file, stands in its place: nothing that is not ours is cut off.
    """
    known: dict[str, Completion] = {}
    if not path.exists() and not path.is_symlink():
        return known
    whole = 0
    with open_regular(path, follow=False) as file:
        while line := file.readline(MAX_LINE_BYTES + 1):
            try:
                row = msgspec.json.decode(line if line.endswith(b"\n") else b"", type=Kept)
            except (msgspec.DecodeError, UnicodeDecodeError):
                break
            known[row.key] = Completion(text=row.text, n_tokens=row.n_tokens, finished=row.finished)
            whole += len(line)
    os.truncate(path, whole)
    return known
