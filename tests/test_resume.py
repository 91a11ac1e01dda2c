"""Work that was interrupted goes on where it was, to the same bytes, and nothing finished is done a second time."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ruamel.yaml import YAML
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from tests.fakes import ARITHMETIC, WORDS, ScriptedModel, problems
from tests.toy import ROOT, raw_params, toy_params
from tripost.errors import DataError, ModelError
from tripost.examples import rationale_examples
from tripost.interfaces import Completion, Sampling
from tripost.models import checkpoint
from tripost.models.decoder import TorchDecoder
from tripost.models.learner import TorchLearner
from tripost.models.sampling import MARGIN, pick
from tripost.prompts import attempt_prompt
from tripost.shell.io import file_sha256
from tripost.shell.partial import Remembering, fingerprint, partial_work
from tripost.shell.progress import Progress
from tripost.text import ATTEMPT_STOPS

GREEDY = Sampling(temperature=0.0, max_new_tokens=30)


class StopWorkError(Exception):
    """What a test does in the middle of work."""


class Stopping(ScriptedModel):
    """A model that is interrupted after `left` completions."""

    def __init__(self, answer: Callable[[str, int], str], left: int) -> None:
        super().__init__(self.count_down(answer))
        self.left = left

    def count_down(self, answer: Callable[[str, int], str]) -> Callable[[str, int], str]:
        def counted(prompt: str, seed: int) -> str:
            if self.left == 0:
                raise StopWorkError
            self.left -= 1
            return answer(prompt, seed)

        return counted


def answer(prompt: str, seed: int) -> str:
    return f"{prompt} {seed} \u2028é"


def remembering(folder: Path, model: ScriptedModel) -> Remembering:
    return Remembering(model, folder, Progress("test", 0, "completions"))


PROMPTS, SEEDS = [f"x{k}" for k in range(6)], list(range(6))


class TestCompletions:
    def interrupted(self, folder: Path, after: int) -> None:
        with remembering(folder, Stopping(answer, after)) as first, pytest.raises(StopWorkError):
            first.complete(PROMPTS, GREEDY, SEEDS)

    def test_what_is_finished_is_not_decoded_again(self, tmp_path: Path) -> None:
        self.interrupted(tmp_path, 4)
        model = ScriptedModel(answer)
        with remembering(tmp_path, model) as second:
            done = second.complete(PROMPTS, GREEDY, SEEDS)
        assert [prompt for prompt, _, _ in model.asked] == PROMPTS[4:]
        assert done == ScriptedModel(answer).complete(PROMPTS, GREEDY, SEEDS)

    @pytest.mark.parametrize("other", ["prompt", "sampling", "seed"])
    def test_another_prompt_sampling_or_seed_is_decoded(self, tmp_path: Path, other: str) -> None:
        self.interrupted(tmp_path, 5)
        model = ScriptedModel(answer)
        prompts = [f"{p}!" for p in PROMPTS] if other == "prompt" else PROMPTS
        sampling = Sampling(temperature=0.5, max_new_tokens=30) if other == "sampling" else GREEDY
        seeds = [seed + 100 for seed in SEEDS] if other == "seed" else SEEDS
        with remembering(tmp_path, model) as second:
            second.complete(prompts, sampling, seeds)
        assert len(model.asked) == 6

    @pytest.mark.parametrize("torn", [b'{"key":"ab', b"\x00\x00\x00\n", b'{"key":1}\n{"key":"a"}\n', b"\xff\n"])
    def test_a_torn_end_is_cut_off(self, tmp_path: Path, torn: bytes) -> None:
        self.interrupted(tmp_path, 3)
        whole = (tmp_path / "completions.jsonl").read_bytes()
        with (tmp_path / "completions.jsonl").open("ab") as file:
            file.write(torn)
        model = ScriptedModel(answer)
        with remembering(tmp_path, model) as second:
            assert (tmp_path / "completions.jsonl").read_bytes() == whole
            second.complete(PROMPTS, GREEDY, SEEDS)
        assert len(model.asked) == 3
        with remembering(tmp_path, ScriptedModel(answer)) as third:
            assert len(third.known) == 6

    def test_rows_of_a_batch_are_kept_one_by_one(self, toy: SimpleNamespace) -> None:
        decoder = TorchDecoder(str(toy.models / "t0"), 64)
        kept: dict[int, Completion] = {}

        def keep(row: int, completion: Completion) -> None:
            if len(kept) == 3:
                raise StopWorkError
            kept[row] = completion

        prompts = [attempt_prompt(p.question) for p in problems(ARITHMETIC, 4) + problems(WORDS, 4)]
        sampling = Sampling(temperature=1.0, max_new_tokens=120, stops=ATTEMPT_STOPS)
        with pytest.raises(StopWorkError):
            decoder.complete(prompts, sampling, list(range(8)), on_row=keep)
        whole = decoder.complete(prompts, sampling, list(range(8)))
        assert [whole[row] for row in kept] == list(kept.values())
        rest = [row for row in range(8) if row not in kept]
        continued = decoder.complete([prompts[row] for row in rest], sampling, rest)
        assert continued == [whole[row] for row in rest]


class TestTooCloseToCall:
    def distribution(self) -> "tuple[Any, float]":
        import torch

        logits = torch.log(torch.tensor([[0.25, 0.25, 0.5]]))
        return logits, 0.25

    @pytest.mark.parametrize(("shift", "close"), [(0.0, True), (MARGIN / 2, True), (-MARGIN / 2, True), (0.1, False)])
    def test_draws_next_to_a_border_are_named(self, shift: float, close: bool) -> None:
        logits, border = self.distribution()
        tokens, doubtful = pick(logits, 1.0, [border + shift])
        assert tokens == [1 if shift >= 0 else 0]
        assert doubtful == ([0] if close else [])

    @pytest.mark.parametrize(("draw", "token"), [(0.0, 0), (1.0 - 1e-9, 2)])
    def test_the_ends_are_no_borders(self, draw: float, token: int) -> None:
        assert pick(self.distribution()[0], 1.0, [draw]) == ([token], [])

    @pytest.mark.parametrize("temperature", [1.0, 0.1, 0.001])
    def test_what_rounding_flips_is_named_at_any_temperature(self, temperature: float) -> None:
        """Noise of 1e-5 in the logits, the most that was measured."""
        import torch

        generator = torch.Generator().manual_seed(1)
        logits = torch.randn(3000, 12, generator=generator) * 1e-3
        noisy = logits + torch.randn(3000, 12, generator=generator) * 1e-5
        draws = torch.rand(3000, generator=generator).tolist()
        tokens, close = pick(logits, temperature, draws)
        others, _ = pick(noisy, temperature, draws)
        flipped = {row for row, (one, other) in enumerate(zip(tokens, others, strict=True)) if one != other}
        assert flipped <= set(close)

    def test_greedy_ties_are_named(self) -> None:
        import torch

        logits = torch.tensor([[1.0, 1.0, 0.0], [1.0, 1.0001, 0.0], [1.0, 2.0, 0.0]])
        tokens, doubtful = pick(logits, 0.0, [0.0] * 3)
        assert tokens[1:] == [1, 1]
        assert doubtful == [0, 1]

    def test_a_row_that_is_too_close_is_settled_alone(
        self, toy: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With a margin that everything is within, each token comes from the row alone, and nothing changes."""
        decoder = TorchDecoder(str(toy.models / "t0"), 4)
        prompts = [attempt_prompt(p.question) for p in problems(ARITHMETIC, 3)]
        sampling = Sampling(temperature=1.0, max_new_tokens=25)
        before = decoder.complete(prompts, sampling, [1, 2, 3])
        alone: list[int] = []
        forward = decoder.model.forward

        def counted(**given: Any) -> Any:
            alone.extend([1] if not given["use_cache"] else [])
            return forward(**given)

        monkeypatch.setattr("tripost.models.sampling.MARGIN", 2.0)
        monkeypatch.setattr(decoder.model, "forward", counted)
        assert decoder.complete(prompts, sampling, [1, 2, 3]) == before
        assert len(alone) == sum(c.n_tokens + c.finished for c in before)


WARMUP = """
import sys, torch
from pathlib import Path
from stages import warmup
from tests.toy import toy_params
from tripost.models import checkpoint

checkpoint.LEAST_SECONDS, checkpoint.SHARE = 0.0, 1e9  # a checkpoint after every step
torch.set_num_threads(1)
out, toy, params = Path(sys.argv[1]), Path(sys.argv[2]), toy_params()
params = params.model_copy(update={"warmup": params.warmup.model_copy(update={"epochs": 25})})
warmup.main(
    params, model=toy / "models" / "base", problems=toy / "data" / "problems", out=out / "t0", loss=out / "loss.csv",
    counts=out / "t0.json", pool=out / "pool.jsonl", pool_meta=out / "pool.meta.json", partial=out / "partial",
)
"""


def environment() -> dict[str, str]:
    path = f"{ROOT / 'src'}{os.pathsep}{ROOT}"
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1"}


RESULTS = ["t0/model.safetensors", "loss.csv", "t0.json"]


class TestTraining:
    def start(self, out: Path, toy: Path) -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", WARMUP, str(out), str(toy)]
        return subprocess.Popen(command, cwd=ROOT, env=environment(), text=True, stderr=subprocess.PIPE)

    def test_killed_training_ends_with_the_same_losses_and_weights(
        self, toy: SimpleNamespace, tmp_path: Path
    ) -> None:
        out, undisturbed = tmp_path / "killed", tmp_path / "undisturbed"
        steps: list[str] = []
        for wait in (0.2, 0.4):
            before = written(out / "partial")
            with self.start(out, toy.root) as process:
                while written(out / "partial") == before:
                    assert process.poll() is None
                    time.sleep(0.02)
                time.sleep(wait)
                process.send_signal(signal.SIGKILL)
                steps.append(process.communicate()[1])
            assert process.returncode == -signal.SIGKILL
            assert not (out / "t0").exists()
        for folder in (out, undisturbed):
            with self.start(folder, toy.root) as process:
                steps.append(process.communicate(timeout=120)[1])
            assert process.returncode == 0, steps[-1]
        assert "warmup: goes on at step" in steps[1]
        assert "warmup: goes on at step" in steps[2]
        assert "goes on" not in steps[3]
        assert [file_sha256(out / name) for name in RESULTS] == [file_sha256(undisturbed / name) for name in RESULTS]
        assert not (out / "partial").exists()

    @pytest.mark.parametrize("tokens", [None, 2500])
    def test_random_state_is_restored_and_nothing_is_taken_twice(
        self, toy: SimpleNamespace, tmp_path: Path, tokens: int | None, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """With dropout, each step draws random numbers."""
        monkeypatch.setattr(checkpoint, "LEAST_SECONDS", 0.0)
        params = toy.params.train.model_copy(update={"tokens": tokens, "epochs": None if tokens else 3})
        examples = rationale_examples(problems(ARITHMETIC, 6))

        def learner() -> TorchLearner:
            found = TorchLearner(str(toy.models / "base"), params)
            for layer in found.model.model.layers:
                layer.self_attn.attention_dropout = 0.4
            return found

        def stop(step: int, steps: int, loss: float, tokens: int) -> None:
            if step == 3:
                raise StopWorkError

        whole, first, second = learner(), learner(), learner()
        expected = whole.fit(examples, 7)
        with pytest.raises(StopWorkError):
            first.fit(examples, 7, stop, partial=tmp_path)
        assert second.fit(examples, 7, partial=tmp_path) == expected
        for name, tensor in whole.model.state_dict().items():
            assert tensor.equal(second.model.state_dict()[name]), name

    @pytest.mark.parametrize(
        "forge",
        [
            lambda tensors, state: state.update(step=99),
            lambda tensors, state: state.update(losses=[]),
            lambda tensors, state: state.update(step="1"),
            lambda tensors, state: tensors.update(
                {name: tensors[name][:1] for name in tensors if name.startswith("model.")}
            ),
            lambda tensors, state: [tensors.pop(name) for name in list(tensors) if name.startswith("exp_avg.")],
            lambda tensors, state: tensors.update(
                {name: tensors[name].half() for name in tensors if name.startswith("model.")}
            ),
        ],
    )
    def test_a_checkpoint_that_does_not_fit_is_refused(
        self, toy: SimpleNamespace, tmp_path: Path, forge: Callable[[dict[str, Any], dict[str, Any]], object]
    ) -> None:
        learner = TorchLearner(str(toy.models / "base"), toy.params.train)
        examples = rationale_examples(problems(ARITHMETIC, 4))
        learner.fit(examples, 1, partial=tmp_path)
        import torch

        kept = checkpoint.Checkpoints(tmp_path, learner.model, torch.optim.AdamW(learner.model.parameters()))
        for parameter in learner.model.parameters():
            parameter.grad = torch.zeros_like(parameter)
        kept.optimizer.step()
        kept.save(checkpoint.TrainingState(step=1, tokens=5, losses=[1.0]))
        with safe_open(kept.path, framework="pt") as file:
            state = json.loads(file.metadata()["state"])
        tensors = load_file(kept.path)
        forge(tensors, state)
        save_file(tensors, kept.path, metadata={"state": json.dumps(state)})
        with pytest.raises(ModelError, match=r"checkpoint\.safetensors: cannot be continued .*remove the file"):
            TorchLearner(str(toy.models / "base"), toy.params.train).fit(examples, 1, partial=tmp_path)

    def test_another_number_of_threads_starts_anew(self, toy: SimpleNamespace, tmp_path: Path) -> None:
        """The rest would be summed in another order than the beginning."""
        import torch

        learner = TorchLearner(str(toy.models / "base"), toy.params.train)
        kept = checkpoint.Checkpoints(tmp_path, learner.model, torch.optim.AdamW(learner.model.parameters()))
        state = checkpoint.TrainingState(step=1, tokens=5, losses=[1.0])
        kept.save(state)
        assert kept.restore(steps=2) == state
        threads = torch.get_num_threads()
        try:
            torch.set_num_threads(threads + 1)
            assert kept.restore(steps=2) == checkpoint.TrainingState()
        finally:
            torch.set_num_threads(threads)

    def test_a_broken_checkpoint_is_named(self, toy: SimpleNamespace, tmp_path: Path) -> None:
        learner = TorchLearner(str(toy.models / "base"), toy.params.train)
        (tmp_path / "checkpoint.safetensors").write_bytes(b"\x08\x00\x00\x00\x00\x00\x00\x00not json")
        with pytest.raises(ModelError, match=r"checkpoint\.safetensors: cannot be continued .*remove the file"):
            learner.fit(rationale_examples(problems(ARITHMETIC, 2)), 1, partial=tmp_path)


def written(folder: Path) -> int:
    """When the checkpoint was written (nanoseconds); 0 for never."""
    return max((path.stat().st_mtime_ns for path in folder.glob("*/checkpoint.safetensors")), default=0)


class TestFolder:
    def test_it_stays_after_an_error_and_goes_on_success(self, tmp_path: Path) -> None:
        folder = tmp_path / "rollout@t1"

        def begin(*inputs: int) -> None:
            with partial_work(folder, *inputs) as work:
                assert list(work.iterdir()) == []
                (work / "x").write_text("kept")
                raise StopWorkError

        for inputs in (1, 2):
            with pytest.raises(StopWorkError):
                begin(inputs)
        with partial_work(folder, 1) as work:
            assert (work / "x").read_text() == "kept"
        assert not folder.exists(), "what other inputs have left goes, too"

    def test_inputs_that_change_during_the_work_are_named(self, tmp_path: Path) -> None:
        (tmp_path / "x").write_text("before")

        def change() -> None:
            with partial_work(tmp_path / "rollout@t1", tmp_path / "x"):
                (tmp_path / "x").write_text("after")

        with pytest.raises(DataError, match="rollout@t1: an input was changed while the stage ran"):
            change()

    @pytest.mark.parametrize("how", ["deleted", "link"])
    def test_a_folder_that_is_gone_or_a_link_does_not_cost_the_work(self, tmp_path: Path, how: str) -> None:
        folder = tmp_path / "warmup"
        if how == "link":
            (tmp_path / "elsewhere").mkdir()
            folder.symlink_to(tmp_path / "elsewhere")
        with partial_work(folder, 1) as work:
            if how == "deleted":
                shutil.rmtree(folder)
            else:
                assert work.exists()
        assert not folder.exists()

    def test_a_link_in_place_of_the_completions_is_not_written_to(self, tmp_path: Path) -> None:
        (tmp_path / "precious").write_bytes(b"mine")
        (tmp_path / "completions.jsonl").symlink_to(tmp_path / "precious")
        with pytest.raises(OSError, match="symbolic link"):
            remembering(tmp_path, ScriptedModel(answer))
        assert (tmp_path / "precious").read_bytes() == b"mine"

    def test_without_a_folder_nothing_outlives_the_call(self) -> None:
        with partial_work(None) as work:
            assert work.is_dir()
        assert not work.exists()

    def test_params_numbers_names_and_content_count(self, tmp_path: Path) -> None:
        (tmp_path / "model").mkdir()
        (tmp_path / "model" / "a").write_text("1")
        params = toy_params()
        inputs: Sequence[object] = (1, "t1", params.train, tmp_path / "model")
        found = {fingerprint(*inputs)}
        found.add(fingerprint(2, *inputs[1:]))
        found.add(fingerprint(1, "t2", *inputs[2:]))
        found.add(fingerprint(*inputs[:2], params.train.model_copy(update={"batch_size": 9}), inputs[3]))
        (tmp_path / "model" / "a").write_text("2")
        found.add(fingerprint(*inputs))
        (tmp_path / "model" / "a").rename(tmp_path / "model" / "b")
        found.add(fingerprint(*inputs))
        assert len(found) == 6
        assert fingerprint(*inputs) in found


def test_a_killed_rollout_ends_with_the_same_rows(toy: SimpleNamespace, tmp_path: Path) -> None:
    """The stage's own process, killed twice: the rows, their counts and their bytes are those of one run."""
    for name in ("killed", "whole"):
        (tmp_path / name).mkdir()
        raw = raw_params()
        raw["rollout"].update(samples=6, batch_size=4)
        with (tmp_path / name / "params.yaml").open("w", encoding="utf-8") as file:
            YAML(typ="safe", pure=True).dump(raw, file)

    def start(name: str) -> "subprocess.Popen[str]":
        flags = (
            f"--problems {toy.problems} --model {toy.models / 't0'} --out rollout.jsonl --counts rollout.json "
            "--t t2 --prev t1 --partial partial"
        )
        command = [sys.executable, str(ROOT / "stages" / "rollout.py"), *flags.split()]
        return subprocess.Popen(
            command, cwd=tmp_path / name, env=environment(), text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )

    for least in (5, 15):
        with start("killed") as process:
            while completions(tmp_path / "killed" / "partial") < least:
                assert process.poll() is None
                time.sleep(0.01)
            process.send_signal(signal.SIGKILL)
            process.communicate()
        assert not (tmp_path / "killed" / "rollout.jsonl").exists()
    before = completions(tmp_path / "killed" / "partial")
    for name in ("killed", "whole"):
        with start(name) as process:
            _, said = process.communicate(timeout=120)
        assert process.returncode == 0, said
        assert (f"{before} completions are there from an interrupted run" in said) == (name == "killed")
    for name in ("rollout.jsonl", "rollout.json"):
        assert (tmp_path / "killed" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()
    assert not (tmp_path / "killed" / "partial").exists()


def completions(folder: Path) -> int:
    return sum(path.read_bytes().count(b"\n") for path in folder.glob("*/completions.jsonl"))
