"""The part of the params that says what M_theta is, and how it is trained; `params.py` has the whole of them."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tripost.params_source import Count, Section

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[int, Field(ge=1, le=10**13)]
Names = Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(min_length=1)]


class LoraParams(Section):
    """A low-rank adapter in place of all weights (arXiv 2106.09685); `targets`: all linear layers, or their names."""

    rank: Annotated[int, Field(ge=1, le=10_000)]
    alpha: Annotated[int, Field(ge=1, le=100_000)]
    dropout: Annotated[float, Field(ge=0, lt=1)]
    targets: Literal["all-linear"] | Names

    def same_weights(self, other: "LoraParams") -> bool:
        """Whether training can go on with the other's weights; dropout may differ."""
        return (self.rank, self.alpha, self.targets) == (other.rank, other.alpha, other.targets)


class TrainParams(Section):
    """Weighted supervised learning; `tokens` counts target tokens with weight. Exactly one budget is set."""

    epochs: Positive | None
    tokens: Positive | None
    batch_size: Positive
    micro_batch_tokens: Positive
    learning_rate: Annotated[float, Field(gt=0, le=1)]
    warmup_share: Share
    weight_decay: Annotated[float, Field(ge=0)]
    clip_norm: Annotated[float, Field(gt=0)]
    precision: Literal["fp32", "bf16"]
    gradient_checkpointing: bool
    lora: LoraParams | None

    @model_validator(mode="after")
    def _one_budget(self) -> "TrainParams":
        if (self.epochs is None) == (self.tokens is None):
            raise ValueError("set exactly one of epochs and tokens, and the other to null")
        return self


class ScratchParams(Section):
    """The size of a model from scratch; `drill`: what it practises first, pages of exercises; null for none."""

    layers: Annotated[int, Field(ge=1, le=1_000)]
    width: Annotated[int, Field(ge=1, le=100_000)]
    heads: Annotated[int, Field(ge=1, le=1_000)]
    context: Annotated[int, Field(ge=64, le=10_000_000)]
    drill_pages: Count
    drill: TrainParams | None

    @model_validator(mode="after")
    def _heads_fit(self) -> "ScratchParams":
        if self.width % (2 * self.heads):
            raise ValueError(f"width: {self.width} is no even multiple of heads: {self.heads}; change one of them")
        return self

    @model_validator(mode="after")
    def _whole(self) -> "ScratchParams":
        if self.drill and self.drill.lora:
            raise ValueError("drill.lora: a model from scratch has nothing to keep; set it to null")
        return self


class ModelParams(Section):
    """M_theta. `base`: `embedded`, `scratch`, a local folder, or a Hugging Face name of a causal language model.

    `format`: whether turns are the paper's plain text or messages of the model's chat template. `writes_feedback`:
    whether it already writes feedback and updates in our layout, and is asked for its own at t1. `backend`: who
    decodes, this program or an OpenAI-compatible endpoint (`serve`).
    """

    base: Annotated[str, Field(min_length=1)]
    format: Literal["plain", "chat_template"]
    writes_feedback: bool
    backend: Literal["local", "openai"]
    decode_precision: Literal["fp32", "bf16"]
    scratch: ScratchParams

    @model_validator(mode="after")
    def _has_a_template(self) -> "ModelParams":
        if self.format == "chat_template" and self.base in ("embedded", "scratch"):
            raise ValueError(f"format: the {self.base} model has no chat template; take plain")
        return self
