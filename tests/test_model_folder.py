"""Model folders that cannot be taught are refused with one line, and nothing of them is run or made up."""

import json
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from tests.fakes import problems
from tests.toy import EMBEDDED
from tripost.errors import ModelError
from tripost.models.base import copy_base
from tripost.models.encode import TokenCounter
from tripost.models.folder import check_folder
from tripost.models.load import load_context_length, load_model, load_tokenizer, save_whole
from tripost.registry import TASKS


@pytest.fixture
def folder(toy: SimpleNamespace, tmp_path: Path) -> Path:
    return Path(shutil.copytree(toy.models / "base", tmp_path / "model"))


def change(file: Path, **changes: Any) -> None:
    content = {**json.loads(file.read_text(encoding="utf-8")), **changes}
    file.write_text(json.dumps({key: value for key, value in content.items() if value is not None}), encoding="utf-8")


def test_a_whole_folder_is_fine_with_and_without_padding(folder: Path, tmp_path: Path) -> None:
    check_folder(folder)
    change(folder / "tokenizer_config.json", pad_token=None)
    copy_base(str(folder), tmp_path / "out")
    assert load_tokenizer(str(tmp_path / "out")).pad_token is None
    check_folder(tmp_path / "out")


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"model_type": "nosuch"}, "has model type `nosuch` but Transformers does not recognize this architecture; copy"),
        ({"num_hidden_layers": 3}, r"weights that config.json asks for are missing .*\(model.layers.2"),
        ({"hidden_size": 32, "head_dim": 16}, "or of another shape"),
        ({"model_type": "t5", "architectures": ["T5ForConditionalGeneration"]}, "no causal language model; take one"),
        ({"model_type": "bert", "architectures": None}, "are missing or of another shape"),
    ],
)  # fmt: skip
def test_what_only_loading_can_tell_is_told(folder: Path, changes: dict[str, Any], says: str) -> None:
    change(folder / "config.json", **changes)
    with pytest.raises(ModelError, match=says):
        load_model(str(folder))


def test_a_config_without_a_context(folder: Path) -> None:
    change(folder / "config.json", max_position_embeddings=0)
    with pytest.raises(ModelError, match="does not say how long its context is; set max_position_embeddings"):
        load_context_length(folder)


def test_a_tokenizer_of_another_model_is_refused(folder: Path, tmp_path: Path) -> None:
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    known = tokenizer["model"]["vocab"]
    known.update({f"more{k}": len(known) + k for k in range(5000)})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    with pytest.raises(ModelError, match=r"params.yaml: model.base: .* tokens, but the model knows [0-9]+; take"):
        copy_base(str(folder), tmp_path / "out")
    assert not (tmp_path / "out").exists()


def test_a_hub_that_does_not_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from transformers import AutoTokenizer

    def unreachable(*_: object, **__: object) -> None:
        raise OSError("We couldn't connect to 'the hub' to load the files, and couldn't find them. Check.")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(AutoTokenizer, "from_pretrained", unreachable)
    with pytest.raises(ModelError, match=r"^some/model: .* not a folder here, and .* hub does not answer; name a"):
        load_tokenizer("some/model")


def test_a_folder_that_is_not_there_is_never_asked_for_on_the_hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("models").mkdir()
    for load in (load_tokenizer, load_model):
        with pytest.raises(ModelError, match=r"^models/t9: no such folder; "):
            load("models/t9")


def test_what_transformers_loads_is_not_refused(folder: Path, tmp_path: Path) -> None:
    """EOS in the older file; Infinity, which transformers writes; special tokens beyond the embedding."""
    eos = json.loads((folder / "tokenizer_config.json").read_text(encoding="utf-8"))["eos_token"]
    change(folder / "tokenizer_config.json", eos_token=None)
    (folder / "special_tokens_map.json").write_text(json.dumps({"eos_token": eos}), encoding="utf-8")
    change(folder / "config.json", some_limit=[0.0, float("inf")])
    tokenizer = json.loads((folder / "tokenizer.json").read_text(encoding="utf-8"))
    spare = {"id": len(tokenizer["model"]["vocab"]), "content": "<image>", "special": True, "normalized": False}
    tokenizer["added_tokens"].append({**spare, "single_word": False, "lstrip": False, "rstrip": False})
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer), encoding="utf-8")
    check_folder(folder)
    copy_base(str(folder), tmp_path / "out")
    assert load_tokenizer(str(tmp_path / "out")).eos_token == eos


@pytest.mark.parametrize("how", ["link", "file"])
def test_what_stands_in_a_models_place_is_replaced_and_what_a_link_points_to_stays(
    folder: Path, tmp_path: Path, how: str
) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "precious").write_text("mine")
    if how == "link":
        (tmp_path / "out").symlink_to(tmp_path / "real")
    else:
        (tmp_path / "out").write_text("a file")
    save_whole(tmp_path / "out", load_model(str(folder)), load_tokenizer(str(folder)))
    check_folder(tmp_path / "out")
    assert not (tmp_path / "out").is_symlink()
    assert (tmp_path / "real" / "precious").read_text() == "mine"


def test_a_tokenizer_with_several_templates_is_saved_whole(folder: Path, tmp_path: Path) -> None:
    tokenizer = load_tokenizer(str(folder))
    tokenizer.chat_template = {"default": "{{ messages }}", "tools": "{{ tools }}"}
    save_whole(tmp_path / "out", load_model(str(folder)), tokenizer)
    assert load_tokenizer(str(tmp_path / "out")).chat_template == tokenizer.chat_template


TEXTS = [
    "",
    "Q: (-12 * 34) =\nAnswer:",
    *(str(x.rationale) for t in TASKS for x in problems(t, 5)),
    "é\u200b 12/03/1999",
]


def counted(tokenizer: Any) -> list[int]:
    return [len(ids) + 1 for ids in tokenizer(TEXTS, add_special_tokens=False)["input_ids"]]


def test_tokens_are_counted_as_the_loaded_tokenizer_cuts_them(folder: Path, tmp_path: Path) -> None:
    copy_base(str(folder), tmp_path / "out")
    assert TokenCounter(str(tmp_path / "out")).count_tokens(TEXTS) == counted(load_tokenizer(str(tmp_path / "out")))


def test_what_is_saved_of_a_tokenizer_that_its_model_type_re_cuts_counts_the_same(
    folder: Path, tmp_path: Path
) -> None:
    change(folder / "config.json", model_type="qwen2")
    change(folder / "tokenizer_config.json", tokenizer_class="Qwen2Tokenizer")
    loaded = load_tokenizer(str(folder))
    save_whole(tmp_path / "out", loaded)
    shutil.copy(folder / "config.json", tmp_path / "out")
    assert TokenCounter(str(folder)).count_tokens(TEXTS) != counted(loaded), "nothing was re-cut: this shows nothing"
    assert TokenCounter(str(tmp_path / "out")).count_tokens(TEXTS) == counted(loaded)
    assert counted(load_tokenizer(str(tmp_path / "out"))) == counted(loaded)


def test_counting_tokens_and_context_needs_neither_torch_nor_transformers() -> None:
    code = (
        "import sys; from pathlib import Path; from tripost.models.encode import TokenCounter\n"
        "from tripost.models.load import load_context_length\n"
        f"TokenCounter({str(EMBEDDED)!r}).count_tokens(['1']); print(load_context_length(Path({str(EMBEDDED)!r})))\n"
        "assert not {'torch', 'transformers'} & sys.modules.keys()"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "1536\n"), done.stderr


def test_a_broken_tokenizer_is_refused_when_tokens_are_counted(folder: Path) -> None:
    change(folder / "tokenizer.json", model={"type": "BPE"})
    with pytest.raises(ModelError, match=r"no tokenizer can be loaded: .*; copy the model anew"):
        TokenCounter(str(folder))
