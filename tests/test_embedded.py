"""The base that is shipped: its files, its formats, what it can do; and that its training can be interrupted."""

import json
import subprocess
import sys
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from torch.multiprocessing.spawn import spawn

from stages import base_model
from tests.toy import EMBEDDED, raw_params, toy_params
from tests.two_processes import muon_steps
from tripost import registry
from tripost.errors import DataError, ModelError
from tripost.layout import Layout
from tripost.models.load import load_model, load_tokenizer
from tripost.pretrain.formats import DIFFICULTIES, formats
from tripost.pretrain.loop import CHUNK, build, made_batches, train
from tripost.pretrain.recipe import Recipe
from tripost.pretrain.release import begin, release
from tripost.pretrain.skills import measure, runs
from tripost.pretrain.vocabulary import embedded_tokenizer
from tripost.prompts import attempt_prompt, feedback_prompt, pair_segments, update_prompt
from tripost.records import Problem, Turn
from tripost.text import parse_attempt, write_feedback

ALONE = """
import sys
from transformers import AutoModelForCausalLM, AutoTokenizer
tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])
model = AutoModelForCausalLM.from_pretrained(sys.argv[1])
ids = tokenizer("(12 + 30)", return_tensors="pt")["input_ids"]
print(tokenizer.decode(model.generate(ids, max_new_tokens=4, do_sample=False)[0]))
assert "tripost" not in sys.modules
"""


@pytest.fixture(scope="module")
def tokenizer() -> Any:
    return load_tokenizer(str(EMBEDDED))


def test_it_has_read_the_formats_that_the_tasks_have_today() -> None:
    read, today = json.loads((EMBEDDED / "formats.json").read_text(encoding="utf-8")), formats()
    changed = sorted(name for name in read.keys() | today.keys() if read.get(name) != today.get(name))
    assert not changed, f"the embedded base was trained on other texts of {changed}: train a new one (make embedded)"


def test_it_is_small_and_holds_no_code_and_no_pickle() -> None:
    files = {path.name: path.stat().st_size for path in EMBEDDED.iterdir()}
    assert files["model.safetensors"] <= 16_000_000
    assert {Path(name).suffix for name in files} == {".json", ".safetensors"}


def test_transformers_alone_can_load_it() -> None:
    done = subprocess.run([sys.executable, "-c", ALONE, EMBEDDED], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("(12 + 30) = 42")


def turns_of(x: Problem) -> list[Turn]:
    attempt = parse_attempt(str(x.rationale), "dataset")
    feedbacks = [write_feedback(attempt, k, "a", "b", "script") for k in (1, 2, None)]
    return [Turn(attempt=attempt, feedback=feedback, n_tokens=0) for feedback in feedbacks]


LAYOUTS = [Layout(history=seen, feedback=said) for seen in ("last", "full") for said in ("verdict", "walk")]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("task", DIFFICULTIES)
def test_a_prompts_tokens_begin_the_text_that_it_opens(tokenizer: Any, task: str, layout: Layout) -> None:
    for x in islice(registry.task(task).problems(DIFFICULTIES[task], 5), 20):
        turns = turns_of(x)
        text = "".join(part for _, part in pair_segments(x.question, turns, 1, layout, with_update=True))
        ids = tokenizer(text)["input_ids"]
        assert tokenizer.decode(ids) == text
        for prompt in (
            attempt_prompt(x.question),
            feedback_prompt(x.question, turns[:1], turns[1].attempt, layout),
            update_prompt(x.question, turns[:1], turns[1], layout),
        ):
            begun = tokenizer(prompt)["input_ids"]
            assert ids[: len(begun)] == begun, prompt


def test_its_skills_are_those_that_the_documents_report(tokenizer: Any) -> None:
    """Far below the figures in docs/embedded-model.md: weights that are broken, or of another tokenizer, have none."""
    model = load_model(str(EMBEDDED)).eval()
    for skill in measure(model, tokenizer, ("operations", "chains", "looking", "clues"), count=8):
        assert skill.right / skill.pieces > 0.5, skill


def test_runs_of_learned_tokens() -> None:
    assert runs([False, True, True, False, True]) == [(1, 3), (4, 5)]
    assert runs([True, False, True]) == [(2, 3)]
    assert runs([False, False]) == []


def test_the_pipeline_takes_a_copy_of_it(tmp_path: Path) -> None:
    section = {**raw_params()["model"], "base": "embedded"}
    base_model.main(toy_params(model=section), out=tmp_path / "base", embedded=EMBEDDED)
    mine, shipped = (load_model(str(folder)).state_dict() for folder in (tmp_path / "base", EMBEDDED))
    assert mine.keys() == shipped.keys()
    assert all(mine[name].equal(shipped[name]) for name in mine)
    with pytest.raises(ModelError, match=r"model\.base: embedded: .*nowhere is not there; get it back"):
        base_model.main(toy_params(model=section), out=tmp_path / "base", embedded=tmp_path / "nowhere")


TINY = Recipe(
    layers=1, width=32, head=16, intermediate=32, steps=6, decay=3, warmup=2, tokens=1024, processes=2, compiled=False
)


def test_two_processes_step_as_one_does(tmp_path: Path) -> None:
    muon_steps(0, 1, str(tmp_path))
    spawn(muon_steps, (2, str(tmp_path)), nprocs=2)  # type: ignore[no-untyped-call]  # torch has no types here
    alone, first, second = (load_file(tmp_path / f"{name}.safetensors") for name in ("1-0", "2-0", "2-1"))
    for name, matrix in alone.items():
        assert first[name].equal(second[name])
        assert matrix.allclose(first[name], atol=1e-6)


def test_the_loss_of_a_step_is_the_mean_over_the_learned_tokens_of_all_processes(tmp_path: Path) -> None:
    tokenizer = embedded_tokenizer(TINY.context, phrases=50)
    tokenizer.save_pretrained(tmp_path / "tokenizer")
    train(TINY, tmp_path / "tokenizer", tmp_path / "work", until=1)
    model = build(TINY, len(tokenizer), tokenizer.eos_token_id)
    nats = learned = 0.0
    for rank in range(TINY.processes):
        batch = next(made_batches(tokenizer, TINY, rank, 0))
        ids = torch.from_numpy(batch.ids)
        with torch.inference_mode():
            logits = model(input_ids=ids[:, :-1]).logits
        costs = torch.nn.functional.cross_entropy(logits.transpose(1, 2), ids[:, 1:], reduction="none")
        mask = torch.from_numpy(batch.learned)[:, 1:]
        nats, learned = nats + float((costs * mask).sum()), learned + float(mask.sum())
    step, loss, *_ = (tmp_path / "work" / "curve.csv").read_text().split(",")
    assert step == "1"
    assert float(loss) == pytest.approx(nats / learned, abs=1e-3)


def test_a_leg_begins_with_the_batch_at_which_the_last_one_ended(tmp_path: Path) -> None:
    tokenizer = embedded_tokenizer(TINY.context, phrases=50)
    whole = islice(made_batches(tokenizer, TINY, 1, 0), CHUNK - 1, CHUNK + 2)
    for one, other in zip(whole, made_batches(tokenizer, TINY, 1, CHUNK - 1), strict=False):
        assert np.array_equal(one.ids, other.ids)
        assert np.array_equal(one.learned, other.learned)


def test_training_that_was_interrupted_ends_with_the_same_weights(tmp_path: Path) -> None:
    embedded_tokenizer(TINY.context, phrases=50).save_pretrained(tmp_path / "tokenizer")
    whole = train(TINY, tmp_path / "tokenizer", tmp_path / "whole")
    train(TINY, tmp_path / "tokenizer", tmp_path / "legs", until=4)
    legs = train(TINY, tmp_path / "tokenizer", tmp_path / "legs")
    weights = [(folder / "model.safetensors").read_bytes() for folder in (whole, legs)]
    assert weights[0] == weights[1]
    losses = [float(line.split(",")[1]) for line in (tmp_path / "whole" / "curve.csv").read_text().splitlines()]
    assert (
        losses == [float(line.split(",")[1]) for line in (tmp_path / "legs/curve.csv").read_text().splitlines()][-1:]
    )
    read = begin(tmp_path / "legs", {"a": "b"})
    assert begin(tmp_path / "legs", {"a": "b"}) == read == {"a": "b"}
    with pytest.raises(DataError, match="other texts of a, c"):
        begin(tmp_path / "legs", {"a": "other", "c": "new"})
    release(legs, TINY, read, tmp_path / "out")
    assert json.loads((tmp_path / "out" / "formats.json").read_text()) == {"a": "b"}
    assert json.loads((tmp_path / "out" / "recipe.json").read_text())["steps"] == 6
    assert load_model(str(tmp_path / "out")).config.num_hidden_layers == 1
