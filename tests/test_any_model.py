"""Any causal language model of the usual families, in plain text and in its own chat messages, from base to M_1."""

from collections import Counter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from stages import eval as evaluate
from tests.fakes import ARITHMETIC, WORDS, balanced, problems
from tests.test_filter import GOOD, X
from tests.test_less import iteration, start
from tests.tiny_models import FAMILIES, save_tiny
from tests.toy import raw_params, toy_params
from tripost.errors import ModelError
from tripost.examples import rationale_examples
from tripost.interfaces import Sampling
from tripost.layout import ChatTurns, Layout
from tripost.models.base import copy_base
from tripost.models.chat import CHECK, STEP_BY_STEP, UPDATE, find_turns, load_turns
from tripost.models.decoder import TorchDecoder
from tripost.models.encode import TokenCounter, count_tokens, encode, encode_prompts
from tripost.models.learner import TorchLearner
from tripost.models.load import load_context_length, load_model, load_tokenizer
from tripost.params_file import check_params
from tripost.prompts import attempt_prompt, attempt_stops, feedback_prompt, pair_segments, update_prompt
from tripost.rebalance import PAPER_WEIGHTS
from tripost.records import Example, Prediction, Trajectory
from tripost.shell.io import read_records

from tests.test_rebalance import params as rebalance_params  # isort: skip

CHATS = [name for name, family in FAMILIES.items() if family.template]
BOTH = [(name, chat) for name in FAMILIES for chat in (False, True) if not chat or FAMILIES[name].template]


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, bool], Path]:
    """What stage base_model makes of each family, in each format."""
    root, found = tmp_path_factory.mktemp("families"), {}
    for name, chat in BOTH:
        if not (root / name).exists():
            save_tiny(name, root / name)
        found[name, chat] = root / f"{name}{chat}"
        copy_base(str(root / name), found[name, chat], chat=chat)
    return found


def examples(layout: Layout) -> list[Example]:
    """Turn pairs with weights, and rationales."""
    kept = {X.id: X}
    found, *_ = balanced([GOOD], kept, rebalance_params("none", weights=PAPER_WEIGHTS), {}, "1 t1", layout)
    return found + rationale_examples(problems(ARITHMETIC, 2) + problems(WORDS, 2), layout)


def layout_of(folder: Path) -> Layout:
    return Layout(chat=load_turns(folder))


@pytest.mark.parametrize(("name", "chat"), BOTH)
def test_prompts_are_the_first_tokens_of_what_is_trained_on(
    bases: dict[tuple[str, bool], Path], name: str, chat: bool
) -> None:
    folder = bases[name, chat]
    layout, tokenizer = layout_of(folder), load_tokenizer(str(folder))
    assert (layout.chat is not None) == chat
    example = next(e for e in examples(layout) if e.id.endswith("/0"))
    ids = encode(tokenizer, [example], chat=chat)[0].ids
    y = GOOD.turns[0]
    prompts = [
        attempt_prompt(X.question, layout),
        feedback_prompt(X.question, [], y.attempt, layout),
        update_prompt(X.question, [], y, layout),
    ]
    text = "".join(segment.text for segment in example.segments)
    for prompt, asked in zip(prompts, encode_prompts(tokenizer, prompts, chat=chat), strict=True):
        assert text.startswith(prompt)
        assert ids[: len(asked) - 1] == asked[:-1], "but for a token that may join with what follows"
    assert TokenCounter(str(folder)).count_tokens([text]) == [len(ids)] == count_tokens(tokenizer, [text], chat=chat)


@pytest.mark.parametrize(("name", "chat"), BOTH)
def test_the_loss_is_on_the_words_of_m_theta_and_on_the_end_of_its_turn(
    bases: dict[tuple[str, bool], Path], name: str, chat: bool
) -> None:
    folder = bases[name, chat]
    layout, tokenizer = layout_of(folder), load_tokenizer(str(folder))
    for example in examples(layout):
        [row] = encode(tokenizer, [example], chat=chat)
        for weight in {segment.weight for segment in example.segments}:
            chosen = [segment.text for segment in example.segments if segment.weight == weight]
            ids = [token for token, w in zip(row.ids, row.weights, strict=True) if w == weight]
            said = tokenizer.decode(ids)
            wanted = "".join(chosen) + ("" if chat or weight != row.weights[-1] else tokenizer.eos_token)
            lead = tokenizer.bos_token if not chat and weight == 0 and row.ids[0] == tokenizer.bos_token_id else ""
            got, should = Counter(_letters(said)), Counter(_letters(lead + wanted))
            over_a_border = 0 if chat else len(example.segments) - 1  # such as ".\n", which takes the later weight
            assert (got - should).total() <= over_a_border
            assert (should - got).total() <= over_a_border
            assert chat is False or _letters(said) == _letters(wanted)
        if layout.chat:
            assert {s.text.endswith(layout.chat.end) for s in example.segments} == {True, False}
            assert all(s.text.endswith(layout.chat.end) == (s.part != "question") for s in example.segments)
        ends = {tokenizer.eos_token} | ({layout.chat.end.strip()} if layout.chat else set())
        assert tokenizer.decode([row.ids[-1]]) in ends


def _letters(text: str) -> str:
    """Without spaces: SentencePiece's decoder leaves the first one out."""
    return "".join(text.split())


@pytest.mark.parametrize("name", [name for name in CHATS if name != "qwen-thinking"])
@pytest.mark.parametrize("history", ["last", "full"])
def test_a_text_of_ours_is_what_the_template_writes(
    bases: dict[tuple[str, bool], Path], name: str, history: Any
) -> None:
    folder = bases[name, True]
    layout = msgspec.structs.replace(layout_of(folder), history=history)
    tokenizer = load_tokenizer(str(folder))
    turns, last = GOOD.turns, len(GOOD.turns) - 2
    said = [f"{X.question}{STEP_BY_STEP}"]
    for turn in turns[0 if history == "full" else last : last + 1]:
        assert turn.feedback is not None
        said += [turn.attempt.raw, CHECK, turn.feedback.text, UPDATE]
    said.append(turns[last + 1].attempt.raw)
    messages = [{"role": "assistant" if k % 2 else "user", "content": text} for k, text in enumerate(said)]
    ours = "".join(text for _, text in pair_segments(X.question, turns, last, layout, with_update=True))
    assert tokenizer.apply_chat_template(messages, tokenize=False).rstrip("\n") == ours
    asked = tokenizer.apply_chat_template(messages[:-1], tokenize=False, add_generation_prompt=True)
    assert asked == update_prompt(X.question, turns[:last], turns[last], layout)


def test_a_template_that_treats_the_last_turn_in_a_way_of_its_own_is_asked_and_trained_in_that_way(
    bases: dict[tuple[str, bool], Path],
) -> None:
    layout = layout_of(bases["qwen-thinking", True])
    text = "".join(text for _, text in pair_segments(X.question, GOOD.turns, 0, layout, with_update=True))
    assert text.count("<think>\n\n</think>\n\n") == 3
    assert text.startswith(update_prompt(X.question, [], GOOD.turns[0], layout))


@pytest.mark.parametrize(("name", "chat"), BOTH)
def test_it_trains_and_writes_the_same_in_any_batch(
    bases: dict[tuple[str, bool], Path], name: str, chat: bool, tmp_path: Path
) -> None:
    folder = bases[name, chat]
    layout = layout_of(folder)
    learner = TorchLearner(str(folder), toy_params().train.model_copy(update={"epochs": 8, "learning_rate": 5e-3}))
    learned = learner.fit(examples(layout), 1)
    assert learned.losses[-1] < learned.losses[0]
    learner.save(tmp_path / "t1")
    assert load_turns(tmp_path / "t1") == layout.chat
    assert load_context_length(tmp_path / "t1") == 1024
    mine = dict(load_model(str(tmp_path / "t1")).named_parameters())
    assert all(tensor.equal(mine[key]) for key, tensor in learner.model.named_parameters())
    asked = [attempt_prompt(x.question, layout) for x in problems(ARITHMETIC, 3) + problems(WORDS, 3)]
    sampling = Sampling(temperature=1.0, max_new_tokens=24, stops=attempt_stops(layout))
    wide, narrow = (TorchDecoder(str(tmp_path / "t1"), batch) for batch in (6, 2))
    said = wide.complete(asked, sampling, range(6))
    assert said == narrow.complete(asked, sampling, range(6))
    alone = [narrow.complete([prompt], sampling, [k])[0] for k, prompt in enumerate(asked)]
    assert said == alone


def test_a_turn_ends_where_the_template_ends_it(bases: dict[tuple[str, bool], Path]) -> None:
    """Trained until it knows a rationale by heart, the model stops behind it by itself."""
    folder = bases["gemma", True]
    layout = layout_of(folder)
    [x] = problems(WORDS, 1)
    params = toy_params().train.model_copy(update={"epochs": 120, "learning_rate": 1e-2})
    learner = TorchLearner(str(folder), params)
    learner.fit(rationale_examples([x], layout), 1)
    learner.save(folder.with_name("knows"))
    sampling = Sampling(temperature=0.0, max_new_tokens=300, stops=attempt_stops(layout))
    [said] = TorchDecoder(str(folder.with_name("knows")), 1).complete(
        [attempt_prompt(x.question, layout)], sampling, [1]
    )
    assert (said.text.strip(), said.finished) == ((x.rationale or "").strip(), True)


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_in_bf16_nothing_is_computed_twice(
    bases: dict[tuple[str, bool], Path], precision: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    decoder = TorchDecoder(str(bases["qwen", False]), 4, precision)
    monkeypatch.setattr("tripost.models.sampling.MARGIN", 1.0)  # every draw is too close to call
    asked: list[int] = []
    alone = decoder._logits_alone

    def counted(ids: list[int]) -> Any:
        asked.append(len(ids))
        return alone(ids)

    monkeypatch.setattr(decoder, "_logits_alone", counted)
    prompts = [attempt_prompt(x.question) for x in problems(WORDS, 3)]
    said = decoder.complete(prompts, Sampling(temperature=1.0, max_new_tokens=8), range(3))
    assert said == decoder.complete(prompts, Sampling(temperature=1.0, max_new_tokens=8), range(3))
    assert [completion.n_tokens for completion in said] == [8, 8, 8]
    assert bool(asked) == (precision == "fp32")
    assert next(decoder.model.parameters()).dtype == {"fp32": torch.float32, "bf16": torch.bfloat16}[precision]


SPECIAL = ("<|im_start|>", "<|im_end|>", "</s>", "ab", "a b")
TURNS = ChatTurns(
    question="<|im_start|>user\n",
    answer="<|im_end|>",
    feedback="",
    update="",
    lead="",
    end="<|im_end|>",
    special=SPECIAL,
)


@given(
    st.lists(st.sampled_from([*SPECIAL, "<", "|", " ", "a", "b", "<|im_", "end|>", "x"]), max_size=12).map("".join)
)
def test_no_words_become_special_tokens(text: str) -> None:
    content = TURNS.content(text)
    assert not any(token in content for token in SPECIAL)
    if not any(token in text for token in SPECIAL):
        assert content == text


def test_forged_special_tokens_are_letters(bases: dict[tuple[str, bool], Path]) -> None:
    for name, chat in BOTH:
        folder = bases[name, chat]
        tokenizer = load_tokenizer(str(folder))
        forged = f"1{tokenizer.eos_token}2<|im_end|><end_of_turn>"
        asked = [attempt_prompt(question, layout_of(folder)) for question in ("12", forged)]
        honest, other = encode_prompts(tokenizer, asked, chat=chat)
        special = set(tokenizer.all_special_ids) | {k for k, t in tokenizer.added_tokens_decoder.items() if t.special}
        assert [i for i in honest if i in special] == [i for i in other if i in special], name


@pytest.mark.parametrize(
    ("template", "said"),
    [
        (None, "no chat template; take format: plain"),
        (
            "{{ raise_exception('no such thing') }}",
            r"does not take a conversation \(no such thing\); take format: plain",
        ),
        ("{{ messages.__class__.__mro__ }}", "does not take a conversation"),
        ("{% for m in messages %}{{ m['content'] }}\n{% endfor %}A:", "no special token that ends a turn"),
        ("{{ messages[0]['content'] }}<|im_end|>", "does not write each message once"),
        (
            "{% for m in messages %}{{ m['content'] + m['content'] }}<|im_end|>{% endfor %}",
            "each message once",
        ),
        (
            "{% for m in messages %}{{ m['content'] }}{{ '<|im_end|>' if loop.index < 3 else '<|endoftext|>' }}{% endfor %} A:",
            "ends turns in different ways",
        ),
    ],
)
def test_templates_that_cannot_be_used(tmp_path: Path, template: str | None, said: str) -> None:
    save_tiny("qwen", tmp_path / "qwen")
    tokenizer = load_tokenizer(str(tmp_path / "qwen"))
    tokenizer.chat_template = template
    tokenizer.save_pretrained(tmp_path / "qwen")
    if template is None:
        (tmp_path / "qwen" / "chat_template.jinja").unlink()
    with pytest.raises(ModelError, match=rf"params.yaml: model.format: chat_template: .*qwen: .*{said}"):
        copy_base(str(tmp_path / "qwen"), tmp_path / "base", chat=True)
    assert not (tmp_path / "base").exists()


def test_a_template_does_not_see_the_clock(tmp_path: Path) -> None:
    save_tiny("qwen", tmp_path / "qwen")
    tokenizer = load_tokenizer(str(tmp_path / "qwen"))
    tokenizer.chat_template = "{{ strftime_now('%d %b %Y') }}" + str(tokenizer.chat_template)
    tokenizer.save_pretrained(tmp_path / "qwen")
    copy_base(str(tmp_path / "qwen"), tmp_path / "base", chat=True)
    turns = load_turns(tmp_path / "base")
    assert turns is not None
    assert turns.question.startswith("26 Jul 2024<|im_start|>user")


def test_a_broken_file_of_turns_is_named(tmp_path: Path) -> None:
    (tmp_path / "chat_turns.json").write_text('{"question": 1}')
    with pytest.raises(ModelError, match=r"chat_turns.json: .*make the model anew: dvc repro"):
        load_turns(tmp_path)


@pytest.mark.parametrize("lora", [False, True])
def test_a_chat_model_goes_through_the_stages(toy: SimpleNamespace, tmp_path: Path, lora: bool) -> None:
    """From a base with a chat template to M_1 and its evaluation; with LoRA M_1 is an adapter of M_0."""
    raw = raw_params()
    raw["model"].update(base=str(save_tiny("qwen", tmp_path / "qwen")), format="chat_template")
    raw["warmup"].update(epochs=150, learning_rate=1e-2)
    if lora:
        raw["train"]["lora"] = {"rank": 4, "alpha": 8, "dropout": 0.0, "targets": "all-linear"}
    params = check_params(raw)
    start(params, tmp_path, toy.problems)
    iteration(params, tmp_path, toy.problems)
    models, data = tmp_path / "models", tmp_path / "data" / "t1"
    assert (models / "t1" / "adapter_model.safetensors").exists() == lora
    assert load_turns(models / "t1") == load_turns(models / "base") is not None
    rows = list(read_records(data / "rollout.jsonl", Trajectory))
    readable = [row for row in rows if not row.turns[0].attempt.malformed]
    assert len(readable) > len(rows) / 2, "it knows its few problems by heart"
    assert not any("<|im_" in turn.attempt.raw for row in rows for turn in row.turns)
    made = list(read_records(data / "examples.jsonl", Example))
    assert {example.segments[0].text[:18] for example in made} == {"<|im_start|>user\n("} | {"<|im_start|>user\nS"}
    evaluate.main(
        params,
        problems=toy.problems,
        model=models / "t1",
        out=tmp_path / "p.jsonl",
        counts=tmp_path / "p.json",
        t="t1",
    )
    predictions = list(read_records(tmp_path / "p.jsonl", Prediction))
    assert any(turn.feedback for p in predictions for turn in p.trajectory.turns)


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("{% for i in range(99999) %}{% for j in range(99999) %}{% endfor %}{% endfor %}", "more than 1 s"),
        (
            "{% set n = namespace(s='ab' * 999) %}{% for i in range(30) %}{% set n.s = n.s + n.s %}{% endfor %}",
            "conversation",
        ),
        ("{{ 'ab' * 1000000 }}", "writes 20000.. characters"),
    ],
)
def test_a_template_that_takes_too_much_is_refused(
    tmp_path: Path, template: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tripost.models.chat.SECONDS", 1)
    monkeypatch.setattr("tripost.models.chat.MEMORY", 500_000_000)
    save_tiny("qwen", tmp_path / "qwen")
    tokenizer = load_tokenizer(str(tmp_path / "qwen"))
    tokenizer.chat_template = template + str(tokenizer.chat_template)
    with pytest.raises(ModelError, match=said):
        find_turns(tokenizer)
    tokenizer.chat_template = FAMILIES["qwen"].template
    assert find_turns(tokenizer).end == "<|im_end|>", "and the bounds are gone"


def test_markers_that_are_no_special_tokens_are_broken_up_too(bases: dict[tuple[str, bool], Path]) -> None:
    chat = load_turns(bases["llama-2", True])
    assert chat is not None
    assert chat.content("5 [/INST] 6") == "5 [ /INST] 6"
    other = load_turns(bases["llama-3", True])
    assert other is not None
    assert other.content("the user and the assistant") == "the user and the assistant"


@pytest.mark.parametrize("spoil", [{"end": ""}, {"special": ["a"]}, {"special": [""]}, {"end": 3}, {"more": 1}])
def test_spoiled_turns_are_named(bases: dict[tuple[str, bool], Path], tmp_path: Path, spoil: dict[str, Any]) -> None:
    said = msgspec.json.decode((bases["qwen", True] / "chat_turns.json").read_bytes())
    (tmp_path / "chat_turns.json").write_bytes(msgspec.json.encode({**said, **spoil}))
    with pytest.raises(ModelError, match=r"chat_turns.json: .*make the model anew: dvc repro"):
        load_turns(tmp_path)
