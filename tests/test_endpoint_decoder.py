"""M_theta behind an endpoint: the same prompts, limits and stops, nothing lost, and proof of what is served."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from pydantic import ValidationError
from ruamel.yaml import YAML

from stages import eval as eval_stage
from tests.endpoint_answers import FOLDER, PRECISION
from tests.fakes import ARITHMETIC, WORDS, problems
from tests.llm_server import Config, Server, running
from tests.tiny_models import FAMILIES, save_tiny
from tests.toy import EMBEDDED, ROOT, raw_params, toy_params
from tripost.chat.completions import Completions
from tripost.chat.outcomes import CallError
from tripost.chat.said import Said, read_said
from tripost.errors import EndpointError
from tripost.examples import rationale_examples
from tripost.interfaces import Completion, Sampling
from tripost.layout import PAPER_LAYOUT
from tripost.models.chat import SavedTurns, find_turns, load_turns
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import encode_prompts
from tripost.models.endpoint import EndpointDecoder, served_name
from tripost.models.learner import TorchLearner
from tripost.models.load import load_tokenizer
from tripost.models.proof import TOLERANCE, prove
from tripost.params import Params
from tripost.params_file import check_params
from tripost.params_serve import ServeParams
from tripost.prompts import attempt_prompt, update_prompt
from tripost.shell.decoding import decoder_of
from tripost.shell.partial import Remembering
from tripost.shell.progress import Progress
from tripost.text import ATTEMPT_STOPS

from tests.test_filter import GOOD  # isort: skip

KEY = "sk-planted-0123456789abcdef"
"""What no output may hold."""
SEEDED, CHECKPOINT = "tests.endpoint_answers:seeded", "tests.endpoint_answers:checkpoint"
SAMPLED = Sampling(temperature=1.0, max_new_tokens=40, stops=ATTEMPT_STOPS)
GREEDY = Sampling(temperature=0.0, max_new_tokens=120, stops=ATTEMPT_STOPS)
PROMPTS = [attempt_prompt(problem.question) for problem in problems(ARITHMETIC, 12) + problems(WORDS, 12)]
SEEDS = list(range(100, 100 + len(PROMPTS)))


def serve_params(base_url: str | None, **changes: Any) -> ServeParams:
    own = {"base_url": base_url, "key": "TRIPOST_TEST_KEY", "concurrency": 8, "timeout_s": 5.0, "deadline_s": 60.0}
    return check_params(raw_params(serve={**raw_params()["serve"], **own, **changes})).serve


def remote_params(base_url: str | None, **changes: Any) -> Params:
    raw = raw_params()
    raw["model"]["backend"] = "openai"
    raw["serve"] = serve_params(base_url, **changes).model_dump()
    return check_params(raw)


@contextmanager
def serving(config: Config, folder: Path = EMBEDDED, precision: str = "fp32") -> Iterator[Server]:
    """A server with the planted key, whose checkpoint lies in the folder."""
    more = {FOLDER: str(folder), PRECISION: precision, "TRIPOST_TEST_KEY": KEY}
    before = {name: os.environ.get(name) for name in more}
    os.environ.update(more)
    try:
        config.key = KEY
        with running(config) as server:
            yield server
    finally:
        for name, value in before.items():
            os.environ.pop(name) if value is None else os.environ.update({name: value})


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with serving(Config()) as found:
        yield found


def decoder_at(server: Server, **changes: Any) -> EndpointDecoder:
    return EndpointDecoder(
        EMBEDDED, Completions(serve_params(server.base_url, **changes), server.base_url), "test-model"
    )


def expected(prompts: Sequence[str], seeds: Sequence[int], temperature: float) -> list[Completion]:
    """What `seeded` says, as a decoder gives it."""
    from tests.endpoint_answers import seeded

    found = []
    for prompt, seed in zip(prompts, seeds, strict=True):
        said = seeded({"prompt": prompt, "seed": seed, "temperature": temperature})
        text = (said.content or "").partition("\nFeedback:")[0]
        found.append(Completion(text=text, n_tokens=0, finished=said.finish_reason == "stop"))
    return found


def same(found: Sequence[Completion], wanted: Sequence[Completion]) -> bool:
    return [(c.text, c.finished) for c in found] == [(c.text, c.finished) for c in wanted]


class TestRows:
    def test_each_prompt_gets_its_own_completion_in_order_cut_before_the_stop(self, server: Server) -> None:
        server.configure(Config(key=KEY, answer=SEEDED, latency_jitter_ms=60))
        rows: dict[int, Completion] = {}
        steps: list[tuple[int, int]] = []
        found = decoder_at(server).complete(
            PROMPTS, SAMPLED, SEEDS, lambda done, tokens: steps.append((done, tokens)), rows.__setitem__
        )
        wanted = expected(PROMPTS, SEEDS, 1.0)
        assert same(found, wanted)
        assert not all(c.finished for c in wanted)
        assert [rows[k] for k in range(len(PROMPTS))] == found
        assert sum(done for done, _ in steps) == len(PROMPTS)
        assert all(c.n_tokens > 0 for c in found)

    def test_faults_lose_no_row_and_change_none(self) -> None:
        faults = {"429": 0.1, "500": 0.1, "503": 0.05, "reset": 0.1, "truncated_body": 0.1, "invalid_json": 0.1}
        faults |= {"timeout": 0.05, "empty_choices": 0.05, "html": 0.05}
        with serving(Config(answer=SEEDED, faults=faults, fault_first_tries=3)) as server:
            found = decoder_at(server, timeout_s=1.0).complete(PROMPTS, SAMPLED, SEEDS)
            stats = server.stats()
        assert same(found, expected(PROMPTS, SEEDS, 1.0))
        assert sum(stats.by_fault.values()) > 10
        assert stats.answered_more_than_once == 0

    def test_no_more_at_once_than_allowed(self) -> None:
        with serving(Config(answer=SEEDED, latency_ms=30)) as server:
            decoder_at(server, concurrency=3).complete(PROMPTS, SAMPLED, SEEDS)
            assert server.stats().most_in_flight == 3

    def test_a_row_that_cannot_be_had_ends_it_with_one_line_and_what_is_finished_is_kept(
        self, server: Server, tmp_path: Path
    ) -> None:
        server.configure(Config(key=KEY, answer=SEEDED))
        decoder = decoder_at(server, timeout_s=0.5, deadline_s=0.5, concurrency=1)

        def fail_after_five(row: int, completion: Completion) -> None:
            if row == 4:
                server.configure(Config(key=KEY, answer=SEEDED, faults={"500": 1.0}))

        with (
            Progress("rollout", 0, "completions") as bar,
            Remembering(decoder, tmp_path, bar) as kept,
            pytest.raises(
                EndpointError, match=r"params\.yaml: serve: server_error: 500.*what is finished is kept"
            ) as error,
        ):
            kept.complete(PROMPTS, SAMPLED, SEEDS, on_row=fail_after_five)
        assert "\n" not in str(error.value)
        done = len((tmp_path / "completions.jsonl").read_text("utf-8").split("\n")) - 1
        assert done == 5
        server.configure(Config(key=KEY, answer=SEEDED))
        before = server.stats().answered
        with Progress("rollout", 0, "completions") as bar, Remembering(decoder_at(server), tmp_path, bar) as kept:
            assert same(kept.complete(PROMPTS, SAMPLED, SEEDS), expected(PROMPTS, SEEDS, 1.0))
        assert server.stats().answered - before == len(PROMPTS) - done

    def test_the_wrong_key_ends_it_and_no_message_holds_it(
        self, server: Server, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server.configure(Config(key="another", answer=SEEDED))
        try:
            monkeypatch.setenv("TRIPOST_TEST_KEY", KEY)
            with pytest.raises(EndpointError, match="does not take the key in TRIPOST_TEST_KEY") as error:
                decoder_at(server).complete(PROMPTS[:2], SAMPLED, SEEDS[:2])
            assert KEY not in str(error.value)
            monkeypatch.delenv("TRIPOST_TEST_KEY")
            with pytest.raises(EndpointError, match=r"serve\.key: the environment has no TRIPOST_TEST_KEY"):
                decoder_at(server)
        finally:
            monkeypatch.undo()
            server.configure(Config(key=KEY))

    def test_a_prompt_that_fills_the_context_is_not_sent(self, server: Server) -> None:
        server.configure(Config(key=KEY, answer=SEEDED))
        long = " ".join(map(str, range(1600)))
        found = decoder_at(server).complete([PROMPTS[0], long], SAMPLED, [1, 2])
        assert found[1] == Completion(text="", n_tokens=0, finished=False)
        assert found[0].text


class Recorded:
    """In the place of Completions: takes what a server of some kind takes."""

    def __init__(self, says: Callable[[Mapping[str, Any]], Said]) -> None:
        self.says = says
        self.bodies: list[Mapping[str, Any]] = []

    def ask(self, bodies: Sequence[Mapping[str, Any]], on_said: Any = lambda place, said: None) -> list[Said]:
        self.bodies += bodies
        found = [self.says(body) for body in bodies]
        for place, said in enumerate(found):
            on_said(place, said)
        return found

    def failed(self, trouble: CallError) -> EndpointError:
        return EndpointError(trouble.outcome)


def recorded(folder: Path, says: Callable[[Mapping[str, Any]], Said]) -> tuple[EndpointDecoder, Recorded]:
    found = Recorded(says)
    return EndpointDecoder(folder, found, "m"), found  # type: ignore[arg-type]


def refusing(*names: str) -> Callable[[Mapping[str, Any]], Said]:
    """A server that knows no such fields."""

    def says(body: Mapping[str, Any]) -> Said:
        if body.keys() & set(names):
            raise CallError("bad_request", "422: unexpected fields", again=False)
        return Said("text", "stop", 2)

    return says


class TestWhatIsSent:
    @pytest.mark.parametrize(
        ("refused", "sent"),
        [((), "top_k"), (("top_k",), "generation_config"), (("top_k", "generation_config"), "top_p")],
    )
    def test_nothing_but_the_temperature_shapes_what_is_drawn(self, refused: tuple[str, ...], sent: str) -> None:
        decoder, found = recorded(EMBEDDED, refusing(*refused))
        decoder.complete(PROMPTS[:3], SAMPLED, [2**40 + 7, 8, 9])
        assert [body["seed"] for body in found.bodies[-3:]] == [7, 8, 9]
        assert all(sent in body and body["top_p"] == 1.0 for body in found.bodies[-3:])
        assert len(found.bodies) == 3 + len(refused)
        if sent == "generation_config":
            assert json.loads(found.bodies[-1][sent]) == {
                "do_sample": True,
                "top_k": 0,
                "eos_token_id": [0],
                "pad_token_id": 0,
            }

    def test_at_most_four_stops_are_sent_and_all_are_cut(self) -> None:
        decoder, found = recorded(EMBEDDED, lambda body: Said("one|two;three", "length", 3))
        stops = ("a", "b", "c", "d", ";", "|")
        done = decoder.complete(["x"], Sampling(temperature=0.0, max_new_tokens=9, stops=stops), [1])
        assert found.bodies[0]["stop"] == ["a", "b", "c", "d"]
        assert done == [Completion(text="one", n_tokens=3, finished=True)]

    def test_the_limit_leaves_room_for_the_prompt(self) -> None:
        decoder, found = recorded(EMBEDDED, lambda body: Said("x", "length", 1))
        decoder.complete([PROMPTS[0]], Sampling(temperature=0.0, max_new_tokens=10**6), [1])
        assert found.bodies[0]["max_tokens"] == 1536 - len(encode_prompts(decoder.tokenizer, [PROMPTS[0]])[0])

    def test_the_token_that_ended_it_is_no_text(self) -> None:
        decoder, _ = recorded(EMBEDDED, lambda body: Said("x<|end|>", "stop", 0))
        assert decoder.complete(["x"], GREEDY, [1])[0].text == "x"

    @pytest.mark.parametrize("chat", [False, True])
    @pytest.mark.parametrize("name", FAMILIES)
    def test_the_endpoint_makes_our_tokens_of_what_is_sent(self, name: str, chat: bool, tmp_path: Path) -> None:
        """As vLLM, SGLang and transformers do: with what the tokenizer puts before any text, special tokens read."""
        if chat and FAMILIES[name].template is None:
            pytest.skip("no chat template")
        folder = save_tiny(name, tmp_path / name)
        tokenizer = load_tokenizer(str(folder))
        turns = find_turns(tokenizer) if chat else None
        SavedTurns(turns).save_pretrained(folder)
        layout = toy_params().layout(load_turns(folder))
        prompts = [
            attempt_prompt("What is 3 + 4?", layout),
            update_prompt("Sort: b a", [], GOOD.turns[0], layout),
            attempt_prompt("Say <|im_end|> </s> <eos> <|eot_id|> <|endoftext|> <|end_of_text|> <|end|>!", layout),
        ]
        decoder, found = recorded(folder, lambda body: Said("x", "stop", 1))
        assert decoder.complete(prompts, GREEDY, [1, 2, 3])[0].finished
        ours = encode_prompts(tokenizer, prompts, chat=chat)
        for body, ids in zip(found.bodies, ours, strict=True):
            sent = body["prompt"]
            assert (tokenizer(sent)["input_ids"] if isinstance(sent, str) else sent) == ids
        assert isinstance(found.bodies[0]["prompt"], str) or name in ("llama-2", "phi-3"), "text, where it can be"


def test_answers_that_are_none() -> None:
    for body, outcome in {
        b'{"choices": []}': "empty_choice",
        b'{"choices": [{"text": "x", "finish_reason": "abort"}]}': "broken_off",
        b'{"choices": [{"text": "x"}]}': "broken_off",
        b"<html>": "invalid_json",
    }.items():
        with pytest.raises(CallError) as error:
            read_said(body, "")
        assert (error.value.outcome, error.value.again) == (outcome, True)
    said = read_said(b'{"choices": [{"text": "a KEYKEY b", "finish_reason": "stop", "token_ids": [1]}]}', "KEYKEY")
    assert (said.text, said.n_tokens, said.ids) == ("a *** b", 0, (1,))


class TestProof:
    @pytest.mark.parametrize("precision", ["fp32", "bf16"])
    def test_the_right_checkpoint_proves_itself(self, precision: str) -> None:
        with serving(Config(answer=CHECKPOINT), EMBEDDED, precision) as server:
            found = prove(decoder_at(server), EMBEDDED, "fp32", PAPER_LAYOUT, needed=True)
        assert "test-model is" in found

    def test_a_few_steps_of_training_show(self, toy: SimpleNamespace, tmp_path: Path) -> None:
        train = toy.params.train.model_copy(update={"epochs": 2, "learning_rate": 4e-4})
        learner = TorchLearner(str(EMBEDDED), train)
        learner.fit(rationale_examples(problems(ARITHMETIC, 8) + problems(WORDS, 8)), 1)
        learner.save(tmp_path / "t1")
        with serving(Config(answer=CHECKPOINT), tmp_path / "t1") as server:
            with pytest.raises(EndpointError, match=rf"test-model is not .*at most {TOLERANCE}.*serve\.command"):
                prove(decoder_at(server), EMBEDDED, "fp32", PAPER_LAYOUT, needed=True)
            decoder = EndpointDecoder(
                tmp_path / "t1", Completions(serve_params(server.base_url), server.base_url), "test-model"
            )
            prove(decoder, tmp_path / "t1", "fp32", PAPER_LAYOUT, needed=True)

    def test_another_tokenizer_shows(self, tmp_path: Path) -> None:
        folder = save_tiny("qwen", tmp_path / "qwen")
        with serving(Config(answer=CHECKPOINT)) as server:
            decoder = EndpointDecoder(
                folder, Completions(serve_params(server.base_url), server.base_url), "test-model"
            )
            with pytest.raises(EndpointError, match=r"has another tokenizer|is not"):
                prove(decoder, folder, "fp32", PAPER_LAYOUT, needed=True)

    def test_without_logprobs_there_is_no_proof(self, server: Server) -> None:
        server.configure(Config(key=KEY, answer=SEEDED))
        with pytest.raises(EndpointError, match=r"gives no logprobs.*or set serve\.command"):
            prove(decoder_at(server), EMBEDDED, "fp32", PAPER_LAYOUT, needed=True)
        assert "nothing but its start" in prove(decoder_at(server), EMBEDDED, "fp32", PAPER_LAYOUT, needed=False)

    def test_a_model_is_chosen_where_there_is_one_only(self, server: Server) -> None:
        completions = Completions(serve_params(server.base_url), server.base_url)
        server.configure(Config(key=KEY, models=["one"]))
        assert served_name(completions, None) == "one"
        assert served_name(completions, "two") == "two"
        server.configure(Config(key=KEY, models=["one", "two"]))
        with pytest.raises(EndpointError, match=r"serve\.served_as: the endpoint lists 2 models \(one, two\)"):
            served_name(completions, None)
        server.configure(Config(key=KEY))


def environment() -> dict[str, str]:
    return {**os.environ, "PYTHONPATH": f"{ROOT / 'src'}{os.pathsep}{ROOT}", "OMP_NUM_THREADS": "1"}


class TestStages:
    def test_greedy_texts_are_those_of_the_local_decoder(self) -> None:
        with serving(Config(answer=CHECKPOINT)) as server:
            params = remote_params(server.base_url)
            with decoder_of(params, PAPER_LAYOUT, EMBEDDED, 8, "eval t1") as decoder:
                assert decoder.device == "endpoint:test-model"
                found = decoder.complete(PROMPTS, GREEDY, SEEDS)
                counted = decoder.count_tokens(PROMPTS)
            local = TorchDecoder(str(EMBEDDED), 8)
            assert same(found, local.complete(PROMPTS, GREEDY, SEEDS))
            assert counted == local.count_tokens(PROMPTS)

    def test_eval_through_an_endpoint_writes_the_same_bytes(self, toy: SimpleNamespace, tmp_path: Path) -> None:
        with serving(Config(answer=CHECKPOINT), toy.models / "t0") as server:
            for name, params in (("local", toy.params), ("remote", remote_params(server.base_url))):
                out, counts = tmp_path / f"{name}.jsonl", tmp_path / f"{name}.json"
                eval_stage.main(params, toy.problems, toy.models / "t0", out=out, counts=counts, t="t1")
        for end in ("jsonl", "json"):
            assert (tmp_path / f"local.{end}").read_bytes() == (tmp_path / f"remote.{end}").read_bytes()

    def test_a_server_that_still_has_another_model_ends_the_stage_before_it_decodes(
        self, toy: SimpleNamespace, tmp_path: Path
    ) -> None:
        with serving(Config(answer=CHECKPOINT), toy.models / "base") as server:
            raw = raw_params(serve=serve_params(server.base_url).model_dump())
            raw["model"]["backend"] = "openai"
            with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
                YAML(typ="safe", pure=True).dump(raw, file)
            flags = f"--problems {toy.problems} --model {toy.models / 't0'} --out r.jsonl --counts r.json --t t1 --prev t0"
            command = [sys.executable, str(ROOT / "stages" / "rollout.py"), *flags.split()]
            done = subprocess.run(
                command, cwd=tmp_path, env=environment(), text=True, capture_output=True, check=False
            )
            assert server.stats().accepted == 8
        assert done.returncode == 1
        assert done.stdout == ""
        assert re.fullmatch(r"error: params\.yaml: serve: test-model is not .*; serve .*\n", done.stderr)
        assert [path.name for path in tmp_path.iterdir() if path.name[0] != "."] == ["params.yaml"]

    def test_a_killed_rollout_asks_for_nothing_twice_and_its_output_holds_no_key(
        self, toy: SimpleNamespace, tmp_path: Path
    ) -> None:
        with serving(Config(answer=CHECKPOINT, latency_ms=40), toy.models / "t0") as server:
            raw = raw_params()
            raw["model"]["backend"] = "openai"
            raw["serve"] = serve_params(server.base_url, concurrency=2).model_dump()
            raw["rollout"].update(samples=6)
            with (tmp_path / "params.yaml").open("w", encoding="utf-8") as file:
                YAML(typ="safe", pure=True).dump(raw, file)
            flags = (
                f"--problems {toy.problems} --model {toy.models / 't0'} --out rollout.jsonl --counts rollout.json "
                "--t t2 --prev t1 --partial partial"
            )
            command = [sys.executable, str(ROOT / "stages" / "rollout.py"), *flags.split()]

            def start() -> "subprocess.Popen[str]":
                return subprocess.Popen(
                    command,
                    cwd=tmp_path,
                    env=environment(),
                    text=True,
                    stdout=subprocess.PIPE,
                    stderr=subprocess.STDOUT,
                )

            def kept() -> int:
                return sum(p.read_bytes().count(b"\n") for p in (tmp_path / "partial").glob("*/completions.jsonl"))

            said = ""
            for least, number, status in (
                (15, signal.SIGKILL, -9),
                (30, signal.SIGINT, 130),
                (45, signal.SIGTERM, 143),
            ):
                with start() as process:
                    while kept() < least:
                        assert process.poll() is None, process.communicate()[0]
                        time.sleep(0.01)
                    process.send_signal(number)
                    said += process.communicate()[0]
                assert process.returncode == status
            assert "stopped; what is finished is kept" in said
            assert "Traceback" not in said
            before = kept()
            with start() as process:
                more, _ = process.communicate(timeout=120)
            assert process.returncode == 0, more
            stats = server.stats()
        assert f"{before} completions are there from an interrupted run" in more
        assert f"test-model is {toy.models / 't0'}: logprobs of" in more
        assert stats.answered_more_than_once <= 8 + 3 * 2, "the probes, and what was under way"
        written = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
        assert KEY not in said + more
        assert not any(KEY.encode() in content for content in written)


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({}, "serve.base_url: model.backend is openai, and nobody says where"),
        ({"base_url": "localhost:8000"}, "is no address"),
        ({"command": "vllm serve --port {port}"}, "it must name {model}"),
        ({"command": "vllm serve {model}"}, "it must name {port}"),
        ({"command": "vllm serve {model} {ports}"}, "no such place: {ports}"),
        ({"command": "vllm 'serve {model} {port}"}, "cannot be split into words"),
        ({"command": "  "}, "names no program"),
        ({"base_url": "http://x/v1", "timeout_s": 9.0, "deadline_s": 8.0}, "shorter than timeout_s"),
    ],
)
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], said: str) -> None:
    raw = raw_params()
    raw["model"]["backend"] = "openai"
    raw["serve"].update(changes)
    with pytest.raises(Exception, match="serve") as error:
        check_params(raw)
    assert not isinstance(error.value, ValidationError)
    assert said in str(error.value)


def test_a_command_is_split_and_filled_in_by_no_shell() -> None:
    command = "run '{model} x' --port={port} --json '{\"a\": {\"b\": 1}}' $HOME;ls"
    params = serve_params(None, command=command)
    words = params.words({"model": "/m y", "port": "1", "host": "h", "dtype": "float32"})
    assert words == ["run", "/m y x", "--port=1", "--json", '{"a": {"b": 1}}', "$HOME;ls"]
