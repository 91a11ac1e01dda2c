"""LoRA: what is trained, what is saved, what it stands on."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.fakes import ARITHMETIC, WORDS, problems
from tests.tiny_models import save_tiny
from tests.toy import ROOT, raw_params, toy_params
from tripost.errors import ModelError
from tripost.examples import rationale_examples
from tripost.interfaces import Sampling
from tripost.models.base import copy_base
from tripost.models.decoder import TorchDecoder
from tripost.models.learner import TorchLearner
from tripost.models.load import load_adapted, load_context_length, load_model, load_tokenizer
from tripost.params import LoraParams, TrainParams
from tripost.params_file import check_params
from tripost.prompts import attempt_prompt
from tripost.records import Example

LORA = LoraParams(rank=4, alpha=8, dropout=0.1, targets="all-linear")


def params(**changes: Any) -> TrainParams:
    small = {"epochs": 2, "learning_rate": 1e-2, "lora": LORA}
    return toy_params().train.model_copy(update={**small, **changes})


def examples() -> list[Example]:
    return rationale_examples(problems(ARITHMETIC, 3) + problems(WORDS, 3))


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """t0, a whole model; t1, an adapter on it; t2, the same adapter, trained on."""
    root = tmp_path_factory.mktemp("models")
    save_tiny("llama-3", root / "t0")
    for before, after in (("t0", "t1"), ("t1", "t2")):
        learner = TorchLearner(str(root / before), params())
        learned = learner.fit(examples(), 1)
        assert learned.losses[-1] < learned.losses[0]
        learner.save(root / after)
    return root


def test_the_adapter_is_saved_alone_and_says_what_it_stands_on(models: Path) -> None:
    for t in ("t1", "t2"):
        folder = models / t
        assert not (folder / "model.safetensors").exists()
        assert (folder / "adapter_model.safetensors").stat().st_size < (
            models / "t0" / "model.safetensors"
        ).stat().st_size
        assert json.loads((folder / "adapter_root.json").read_text())["folder"] == "t0"
        config = json.loads((folder / "adapter_config.json").read_text())
        assert (config["r"], config["base_model_name_or_path"]) == (4, "../t0")
        assert load_context_length(folder) == 1024
        assert load_tokenizer(str(folder)).eos_token == "<|eot_id|>"
    for file in sorted((models / "t1").iterdir()):
        assert str(models).encode() not in file.read_bytes(), f"{file.name}: an absolute path"


def test_people_can_load_it_with_peft_itself(models: Path) -> None:
    from peft import PeftModel
    from safetensors.torch import load_file

    theirs = PeftModel.from_pretrained(load_model(str(models / "t0")), models / "t2").merge_and_unload()
    ours = load_model(str(models / "t2"))
    assert type(ours) is type(theirs)
    for name, weight in ours.state_dict().items():
        assert weight.allclose(theirs.state_dict()[name], atol=1e-6), name
    changed = [k for k, w in ours.named_parameters() if not w.equal(load_model(str(models / "t0")).get_parameter(k))]
    assert len(changed) == 14, "the seven linear layers of two blocks"
    assert len(load_file(models / "t2" / "adapter_model.safetensors")) == 28


def test_it_writes_and_is_trained_on(models: Path, tmp_path: Path) -> None:
    asked = [attempt_prompt(x.question) for x in problems(WORDS, 3)]
    sampling = Sampling(temperature=1.0, max_new_tokens=20)
    merged = tmp_path / "merged"
    load_model(str(models / "t2")).save_pretrained(merged)
    load_tokenizer(str(models / "t2")).save_pretrained(merged)
    said = [TorchDecoder(str(folder), 2).complete(asked, sampling, range(3)) for folder in (models / "t2", merged)]
    assert said[0] == said[1]
    TorchLearner(str(models / "t2"), params(lora=None)).save(tmp_path / "whole")
    assert (tmp_path / "whole" / "model.safetensors").exists()
    assert not (tmp_path / "whole" / "adapter_config.json").exists()


def test_training_goes_on_from_a_checkpoint_to_the_same_adapter(models: Path, tmp_path: Path) -> None:
    def interrupt(step: int, steps: int, loss: float, tokens: int) -> None:
        if step == 2:
            raise KeyboardInterrupt

    learner = TorchLearner(str(models / "t0"), params())
    monitored = tmp_path / "work"
    from tripost.models import checkpoint

    before, checkpoint.LEAST_SECONDS = checkpoint.LEAST_SECONDS, 0.0
    try:
        with pytest.raises(KeyboardInterrupt):
            learner.fit(examples(), 1, interrupt, monitored)
    finally:
        checkpoint.LEAST_SECONDS = before
    assert (monitored / "checkpoint.safetensors").stat().st_size < 200_000, "no frozen weights in it"
    again = TorchLearner(str(models / "t0"), params())
    again.fit(examples(), 1, partial=monitored)
    again.save(models / "t3")
    one, other = (load_adapted(models / t)[0].state_dict() for t in ("t1", "t3"))
    assert all(one[name].equal(other[name]) for name in one)


def test_what_does_not_fit_together_is_named(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models, tmp_path / "m")
    m = tmp_path / "m"
    with pytest.raises(ModelError, match=r"params.yaml: lora: .*t1 has an adapter of another size; keep its size"):
        TorchLearner(str(m / "t1"), params(lora=LORA.model_copy(update={"rank": 2})))
    with pytest.raises(ModelError, match=r"lora.targets: .*; name linear layers of the model, or take all-linear"):
        TorchLearner(str(m / "t0"), params(lora=LORA.model_copy(update={"targets": ("no_such",)})))
    with pytest.raises(ModelError, match=r"an adapter is saved beside its model, which is .*t0"):
        TorchLearner(str(m / "t1"), params()).save(tmp_path / "elsewhere")
    with pytest.raises(ModelError, match=r"model.base: .*t1: an adapter, not a whole model; merge it"):
        copy_base(str(m / "t1"), tmp_path / "base")
    weights = m / "t1" / "adapter_model.safetensors"
    whole = weights.read_bytes()
    weights.write_bytes(whole[:-10])
    with pytest.raises(ModelError, match=r"adapter_model.safetensors: .* cut off"):
        load_model(str(m / "t1"))
    weights.write_bytes((m / "t0" / "model.safetensors").read_bytes())
    with pytest.raises(ModelError, match=r"not the weights that adapter_root.json asks for"):
        load_model(str(m / "t1"))
    root = m / "t2" / "adapter_root.json"
    said = json.loads(root.read_text())
    for folder in ("../../etc", "..", "t9", "", "x" * 5000):
        root.write_text(json.dumps({**said, "folder": folder}))
        with pytest.raises(
            ModelError, match=r"adapter_root.json: an adapter of .*not beside it; get it: dvc checkout"
        ):
            load_model(str(m / "t2"))
    root.write_text(json.dumps({**said, "weights": "0"}))
    with pytest.raises(ModelError, match=r"t0 is another model than the adapter was trained on"):
        load_model(str(m / "t2"))
    root.unlink()
    with pytest.raises(ModelError, match=r"adapter_root.json: .*adapters are taken as this program writes them"):
        load_model(str(m / "t2"))


def test_names_of_layers_from_params_reach_the_adapter(models: Path, tmp_path: Path) -> None:
    raw = raw_params()
    raw["train"]["lora"] = {"rank": 2, "alpha": 4, "dropout": 0.0, "targets": ["q_proj", "v_proj"]}
    chosen = check_params(raw).train
    shutil.copytree(models / "t0", tmp_path / "t0")
    for before, after in (("t0", "t1"), ("t1", "t2")):
        learner = TorchLearner(str(tmp_path / before), chosen)
        trained = {name.split(".")[-4] for name, p in learner.model.named_parameters() if p.requires_grad}
        assert trained == {"q_proj", "v_proj"}
        learner.save(tmp_path / after)


def test_an_adapter_that_stands_on_an_adapter_is_refused(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models, tmp_path / "m")
    root = tmp_path / "m" / "t1" / "adapter_root.json"
    root.write_text(json.dumps({**json.loads(root.read_text()), "folder": "t1"}))
    with pytest.raises(ModelError, match=r"adapter_root.json: an adapter of t1, which is one itself"):
        load_model(str(tmp_path / "m" / "t1"))


def test_what_is_saved_does_not_depend_on_the_hash_seed(models: Path) -> None:
    code = (
        "import sys, tempfile; from pathlib import Path; from tests.test_adapter import LORA, params\n"
        "from tripost.models.learner import TorchLearner; out = Path(sys.argv[1]).parent / sys.argv[2]\n"
        "TorchLearner(sys.argv[1], params()).save(out); print((out / 'adapter_config.json').read_text())"
    )
    said = [
        subprocess.run(
            [sys.executable, "-c", code, str(models / "t0"), f"seed{seed}"],
            env={**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": f"{ROOT}/src:{ROOT}"},
            capture_output=True, text=True, check=True,
        ).stdout
        for seed in ("1", "2", "3")
    ]  # fmt: skip
    assert said[0] == said[1] == said[2]


def copied_from_the_hub(folder: Path, root: Path) -> subprocess.CompletedProcess[str]:
    """Stage base_model's copy of some/model, which is the folder; the client finds it in its cache, being offline."""
    stored = root / "hub" / "models--some--model"
    shutil.copytree(folder, stored / "snapshots" / ("a" * 40))
    (stored / "refs").mkdir()
    (stored / "refs" / "main").write_text("a" * 40)
    code = (
        "from pathlib import Path; from tripost.models.base import copy_base; copy_base('some/model', Path('base'))"
    )
    there = {"HF_HUB_CACHE": str(root / "hub"), "HF_HUB_OFFLINE": "1", "PYTHONPATH": f"{ROOT}/src"}
    return subprocess.run(
        [sys.executable, "-c", code],
        cwd=root,
        env={**os.environ, **there},
        capture_output=True,
        text=True,
        check=False,
    )


def test_an_adapter_on_the_hub_is_refused(models: Path, tmp_path: Path) -> None:
    done = copied_from_the_hub(models / "t1", tmp_path)
    assert "model.base" in done.stderr
    assert "an adapter, not a whole model; merge it into its model" in done.stderr
    assert not (tmp_path / "base").exists()


def test_a_model_in_the_hubs_cache_is_copied_without_its_code_and_pickles(models: Path, tmp_path: Path) -> None:
    shutil.copytree(models / "t0", tmp_path / "theirs")
    for name in ("modeling_own.py", "pytorch_model.bin"):
        (tmp_path / "theirs" / name).write_text("raise SystemExit('run')")
    done = copied_from_the_hub(tmp_path / "theirs", tmp_path)
    assert done.returncode == 0, done.stderr
    mine, theirs = (load_model(str(folder)).state_dict() for folder in (tmp_path / "base", models / "t0"))
    assert all(mine[name].equal(theirs[name]) for name in theirs)
    assert not {"modeling_own.py", "pytorch_model.bin"} & {file.name for file in (tmp_path / "base").iterdir()}


def test_weights_that_are_no_numbers_are_refused(models: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    shutil.copytree(models, tmp_path / "m")
    file = tmp_path / "m" / "t1" / "adapter_model.safetensors"
    save_file({name: tensor * float("nan") for name, tensor in load_file(file).items()}, file)
    with pytest.raises(ModelError, match=r"adapter_model.safetensors: a weight is not finite"):
        load_model(str(tmp_path / "m" / "t1"))
