"""Tiny random models in the shapes that people use, each with its real kind of tokenizer, as folders."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from tokenizers import (
    AddedToken,
    Regex,
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)
from transformers import (
    AutoModelForCausalLM,
    Gemma2Config,
    GemmaConfig,
    GPTNeoXConfig,
    GraniteConfig,
    LlamaConfig,
    PreTrainedTokenizerFast,
    Qwen2Config,
    Qwen3Config,
)

from tests.fakes import ARITHMETIC, WORDS, problems

SIZES = {
    "hidden_size": 32,
    "intermediate_size": 64,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "max_position_embeddings": 1024,
}
WORD = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] | trim + '<|im_end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
THINKING = CHATML.replace("assistant\n' }}{% endif", "assistant\n<think>\n\n</think>\n\n' }}{% endif")
HEADERS = (
    "{{ bos_token }}{% for message in messages %}{{ '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n' }}"
    "{{ message['content'] | trim }}<|eot_id|>{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"
)
TURNS = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if (message['role'] == 'user') != (loop.index0 % 2 == 0) %}{{ raise_exception('roles must alternate') }}{% endif %}"
    "{{ '<start_of_turn>' + ('model' if message['role'] == 'assistant' else 'user') + '\n' }}"
    "{{ message['content'] | trim }}{{ '<end_of_turn>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<start_of_turn>model\n' }}{% endif %}"
)
BLANKS = (
    "{{ bos_token }}{% for message in messages %}{{ '<|' + message['role'] + '|>\n' + message['content'] + '<|end|>\n' }}"
    "{% endfor %}{% if add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}"
)
INST = (
    "{{ bos_token }}{% for message in messages %}{% if message['role'] == 'user' %}"
    "{{ '[INST] ' + message['content'] + ' [/INST]' }}{% else %}{{ ' ' + message['content'] + eos_token }}{% endif %}"
    "{% endfor %}"
)


class Family(msgspec.Struct, frozen=True):
    """A kind of model: its configuration, its tokenizer, its chat template."""

    config: Callable[..., Any]
    tokenizer: Callable[[], Any]
    template: str | None
    tied: bool
    more: dict[str, Any] = {}


def texts() -> list[str]:
    """What the vocabularies are made from."""
    return [f"{x.question}\n{x.rationale}" for name in (ARITHMETIC, WORDS) for x in problems(name, 8)]


def byte_pairs(special: list[str], *, bos: str | None, eos: str, pad: str | None) -> Any:
    """Byte-level BPE with a splitting pattern, as Llama 3, Qwen and GPT-NeoX have."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(WORD), "isolated"),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False
    )
    tokenizer.train_from_iterator(texts(), trainer)
    return _dressed(tokenizer, special, bos=bos, eos=eos, pad=pad)


def sentence_pieces(special: list[str], *, prefix: bool, eats_blanks: bool = False) -> Any:
    """SentencePiece's BPE with spaces as a letter and bytes for what is unknown, as Llama 2, Mistral and Gemma have."""
    lines = [line.replace(" ", "▁") for text in texts() for line in text.split("\n")]
    trained = Tokenizer(models.BPE(unk_token="<unk>"))
    trained.train_from_iterator(
        lines, trainers.BpeTrainer(vocab_size=260, special_tokens=["<unk>"], show_progress=False)
    )
    state = msgspec.json.decode(trained.to_str())["model"]
    pieces = [piece for piece, _ in sorted(state["vocab"].items(), key=lambda item: item[1]) if piece != "<unk>"]
    names = ["<unk>", *(f"<0x{k:02X}>" for k in range(256)), *pieces]
    merges = [tuple(merge) for merge in state["merges"]]
    vocabulary = {piece: k for k, piece in enumerate(dict.fromkeys(names))}
    tokenizer = Tokenizer(
        models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>", byte_fallback=True, fuse_unk=True)
    )
    steps: list[Any] = [normalizers.Prepend("▁")] if prefix else []
    tokenizer.normalizer = normalizers.Sequence([*steps, normalizers.Replace(" ", "▁")])
    strip = [decoders.Strip(" ", 1, 0)] if prefix else []
    tokenizer.decoder = decoders.Sequence(
        [decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse(), *strip]
    )
    bos, eos = ("<s>", "</s>") if prefix else ("<bos>", "<eos>")
    return _dressed(tokenizer, special, bos=bos, eos=eos, pad=None, eats_blanks=eats_blanks)


def _dressed(
    tokenizer: Any, special: list[str], *, bos: str | None, eos: str, pad: str | None, eats_blanks: bool = False
) -> Any:
    named = [name for name in (bos, eos, pad, *special) if name]
    tokenizer.add_special_tokens(
        [
            AddedToken(x, special=True, normalized=False, rstrip=eats_blanks and x in special)
            for x in dict.fromkeys(named)
        ]
    )
    if bos:
        tokenizer.post_processor = processors.TemplateProcessing(
            single=f"{bos} $A", special_tokens=[(bos, tokenizer.token_to_id(bos))]
        )
    fast: Any = PreTrainedTokenizerFast
    return fast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos, pad_token=pad, padding_side="left")


FAMILIES = {
    "llama-3": Family(
        LlamaConfig,
        lambda: byte_pairs(
            ["<|start_header_id|>", "<|end_header_id|>"], bos="<|begin_of_text|>", eos="<|eot_id|>", pad=None
        ),
        HEADERS,
        tied=True,
        more={"num_key_value_heads": 2},
    ),
    "llama-2": Family(LlamaConfig, lambda: sentence_pieces([], prefix=True), INST, tied=False),
    "qwen": Family(
        Qwen2Config,
        lambda: byte_pairs(["<|im_start|>", "<|im_end|>"], bos=None, eos="<|im_end|>", pad="<|endoftext|>"),
        CHATML,
        tied=True,
        more={"num_key_value_heads": 2},
    ),
    "qwen-thinking": Family(
        Qwen3Config,
        lambda: byte_pairs(["<|im_start|>", "<|im_end|>"], bos=None, eos="<|im_end|>", pad="<|endoftext|>"),
        THINKING,
        tied=False,
        more={"num_key_value_heads": 2, "head_dim": 8},
    ),
    "gemma": Family(
        GemmaConfig,
        lambda: sentence_pieces(["<start_of_turn>", "<end_of_turn>"], prefix=False),
        TURNS,
        tied=True,
        more={"head_dim": 8, "num_key_value_heads": 1},
    ),
    "gemma-2": Family(
        Gemma2Config,
        lambda: sentence_pieces(["<start_of_turn>", "<end_of_turn>"], prefix=False),
        TURNS,
        tied=True,
        more={"head_dim": 8, "num_key_value_heads": 2, "sliding_window": 64},
    ),
    "phi-3": Family(
        LlamaConfig,
        lambda: sentence_pieces(["<|user|>", "<|assistant|>", "<|end|>"], prefix=True, eats_blanks=True),
        BLANKS,
        tied=False,
    ),
    "granite": Family(
        GraniteConfig,
        lambda: byte_pairs([], bos=None, eos="<|end_of_text|>", pad=None),
        None,
        tied=True,
        more={"logits_scaling": 4.0, "num_key_value_heads": 2},
    ),
    "gpt-neox": Family(
        GPTNeoXConfig, lambda: byte_pairs([], bos=None, eos="<|endoftext|>", pad=None), None, tied=False
    ),
}


def save_tiny(name: str, folder: Path) -> Path:
    """The family's model with random weights, in the folder."""
    import torch

    family = FAMILIES[name]
    tokenizer = family.tokenizer()
    tokenizer.chat_template = family.template
    torch.manual_seed(3)
    config = family.config(
        **SIZES,
        **family.more,
        vocab_size=len(tokenizer),
        tie_word_embeddings=family.tied,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
    )
    model: Any = AutoModelForCausalLM
    model.from_config(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
