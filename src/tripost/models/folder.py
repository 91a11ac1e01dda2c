"""A model folder as it lies on disk, looked at without torch: what is missing, broken, pickled or foreign.

It finds in milliseconds what loading would find after seconds, and what loading would let pass: weights that are cut
off, and models that are no causal language models.
"""

import json
import os
import shutil
from pathlib import Path
from typing import Annotated, Any

import msgspec

from tripost.errors import ModelError
from tripost.files import open_regular, read_bounded

CAUSAL = ("ForCausalLM", "LMHeadModel", "LMHead", "ForConditionalGeneration", "Decoder")
"""How the architectures end that transformers can load as causal language models."""
VOCABULARIES = ("tokenizer.json", "tokenizer.model", "vocab.json", "vocab.txt", "spiece.model")
GENERIC = {None, "TokenizersBackend", "PreTrainedTokenizerFast"}
"""Tokenizer classes without an EOS token of their own; others know one by name."""
COPY = "copy the model anew, or make it anew: dvc repro"
ADAPTER = "adapter_config.json"
MAX_HEADER = 100_000_000
Offset = Annotated[int, msgspec.Meta(ge=0, lt=2**62)]
PICKLES = ("*.bin", "*.pt", "*.pth", "*.ckpt", "*.pkl")


def names_a_folder(source: str) -> bool:
    """Whether this means a folder, there or not, rather than `name` or `owner/name` on the Hugging Face hub."""
    path = Path(source)
    parent_is_here = path.parent.name != "" and path.parent.is_dir()  # models/t9, imported/mdoel
    return path.exists() or source.count("/") > 1 or source.startswith((".", "/", "~")) or parent_is_here


def check_folder(folder: Path) -> None:
    """Raises ModelError where this is no folder of a causal language model that can be loaded here."""
    _check_there(folder)
    if (folder / ADAPTER).is_file():
        raise ModelError(f"{folder}: an adapter, not a whole model; merge it into its model (peft: merge_and_unload)")
    config = read_object(folder / "config.json")
    named = config.get("architectures")
    names = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    if names and not any(name.endswith(CAUSAL) for name in names):
        raise ModelError(f"{folder}/config.json: {', '.join(names)} is no causal language model; take one that is")
    _check_weights(folder)
    check_tokenizer(folder)


def check_tokenizer(folder: Path) -> None:
    """Raises ModelError where the folder holds no tokenizer, or one that says it has no EOS token."""
    _check_there(folder)
    read_object(folder / "config.json")
    if not any((folder / name).is_file() for name in VOCABULARIES):
        raise ModelError(f"{folder}: no tokenizer.json; save the tokenizer beside the model")
    file = folder / "tokenizer.json"
    if file.is_file() and not isinstance(read_object(file).get("model"), dict):
        raise ModelError(f"{file}: not a tokenizer; {COPY}")
    if not (folder / "tokenizer_config.json").is_file() or (folder / "special_tokens_map.json").is_file():
        return  # only loading can tell
    config = read_object(folder / "tokenizer_config.json")
    if config.get("tokenizer_class") in GENERIC and not config.get("eos_token"):
        raise ModelError(f"{folder}: the tokenizer has no EOS token; set eos_token in tokenizer_config.json")


def check_chat_template(folder: Path) -> None:
    """Raises ModelError where no chat template lies in the folder."""
    named = read_object(folder / "tokenizer_config.json") if (folder / "tokenizer_config.json").is_file() else {}
    if not (named.get("chat_template") or (folder / "chat_template.jinja").is_file()):
        raise ModelError(f"{folder}: no chat template; take plain, or a model that is made for chats")


def copy_folder(source: Path, out: Path) -> None:
    """The same model at another place, all of it or nothing. Raises ModelError for none that can be loaded."""
    check_folder(source)
    writing = out.with_name(f".{out.name}.writing")
    shutil.rmtree(writing, ignore_errors=True)
    shutil.copytree(source, writing, copy_function=shutil.copyfile)
    shutil.rmtree(out, ignore_errors=True)
    writing.rename(out)


def _check_there(folder: Path) -> None:
    if not folder.is_dir():
        raise ModelError(f"{folder}: no such folder; name a folder with a model in it, or make it: dvc repro")


def _check_weights(folder: Path) -> None:
    weights = sorted(folder.glob("*.safetensors"))
    if not weights and any(file for kind in PICKLES for file in folder.glob(kind)):
        raise ModelError(f"{folder}: pickled weights are not loaded; convert them to safetensors")
    if not weights:
        raise ModelError(f"{folder}: no *.safetensors; take a model that has them")
    for file in weights:
        check_safetensors(file)
    index = folder / "model.safetensors.index.json"
    if not index.is_file():
        return
    parts = read_object(index).get("weight_map")
    named = {str(name) for name in parts.values()} if isinstance(parts, dict) else set()
    missing = sorted(named - {file.name for file in weights})
    if missing or not named:
        raise ModelError(f"{index}: {', '.join(missing[:3]) or 'no file'} is missing; {COPY}")


def check_safetensors(file: Path) -> None:
    """The header (its length, then JSON) must be there, and the tensors must fill the rest of the file.

    Raises ModelError.
    """
    try:
        with open_regular(file) as opened:
            size = os.fstat(opened.fileno()).st_size
            length = int.from_bytes(opened.read(8), "little")
            header = opened.read(length) if length <= min(MAX_HEADER, size - 8) else b""
        tensors = msgspec.json.decode(header, type=dict[str, dict[str, Any]])
        ends = [_end(tensor["data_offsets"]) for name, tensor in tensors.items() if name != "__metadata__"]
    except OSError as error:
        raise ModelError(f"{file}: cannot be read: {error.strerror}; {COPY}") from None
    except (msgspec.DecodeError, ValueError, KeyError, TypeError, IndexError, RecursionError):
        kind = "a pickle under another name" if _is_pickle(file) else "broken, or of another format"
        raise ModelError(f"{file}: not a safetensors file ({kind}); {COPY}") from None
    if 8 + length + max(ends, default=0) != size:
        raise ModelError(f"{file}: {size} bytes of {8 + length + max(ends, default=0)}, cut off; {COPY}")


def _end(offsets: Any) -> int:
    return msgspec.convert(offsets, tuple[Offset, Offset])[1]


def _is_pickle(file: Path) -> bool:
    """A pickle begins with its protocol, one of torch's with that of a zip file."""
    with file.open("rb") as opened:
        start = opened.read(4)
    return start[:1] == b"\x80" or start == b"PK\x03\x04"


def read_object(file: Path) -> dict[str, Any]:
    """A JSON object of a model folder. Raises ModelError."""
    try:
        content = read_bounded(file, MAX_HEADER)
        found = json.loads(content or b"")  # transformers writes Infinity, which is not JSON
    except OSError as error:
        raise ModelError(f"{file}: cannot be read: {error.strerror}; {COPY}") from None
    except (ValueError, RecursionError) as error:
        at = f":{error.lineno}" if isinstance(error, json.JSONDecodeError) else ""
        raise ModelError(f"{file}{at}: not a JSON object; {COPY}") from None
    if not isinstance(found, dict):
        raise ModelError(f"{file}: not a JSON object; {COPY}")
    return found


def why(source: str, error: Exception) -> str:
    """What is wrong, of libraries' errors that go on for many lines, and what to do."""
    text = " ".join(str(error).split())
    first = text.split(". ")[0].rstrip(".:")[:300] or type(error).__name__
    if "custom code" in text:
        return "it needs code that comes with it, which is never run; take a model that transformers knows"
    if "Unrecognized configuration class" in text:
        return "it is no causal language model; take one that is"
    if Path(source).is_dir():
        return f"{first}; {COPY}"
    if "couldn't connect" in text or type(error).__name__ in ("LocalEntryNotFoundError", "OfflineModeIsEnabled"):
        first = "not a folder here, and the Hugging Face hub does not answer"
    return f"{first}; name a local folder, or a model on the hub that can be reached"
