"""The params: frozen, typed, unknown keys refused. `params_file` reads them from `params.yaml`.

No knob has a default here: every value that shapes a result stands in `params.yaml`, where DVC tracks it.
"""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from tripost.chain import chain_flaws
from tripost.layout import ChatTurns, Layout
from tripost.params_llm import CallsParams as CallsParams
from tripost.params_llm import LlmName, llm_flaws
from tripost.params_llm import LlmParams as LlmParams
from tripost.params_model import LoraParams as LoraParams
from tripost.params_model import ModelParams as ModelParams
from tripost.params_model import Positive, Share
from tripost.params_model import ScratchParams as ScratchParams
from tripost.params_model import TrainParams as TrainParams
from tripost.params_serve import ServeParams as ServeParams
from tripost.params_source import Count
from tripost.params_source import ExpertParams as ExpertParams
from tripost.params_source import Section as Section
from tripost.params_source import SourceParams as SourceParams

Weight = Annotated[float, Field(ge=0, le=100)]
Iteration = Annotated[str, Field(pattern=r"^t(0|[1-9][0-9]{0,3})$")]


class MaxNewTokens(Section):
    """Limits of one completion."""

    attempt: Positive
    feedback: Positive


class RolloutParams(Section):
    """`window`: problems a task and iteration, in turn, wrapping round; `all` for every training problem."""

    samples: Positive
    window: Positive | Literal["all"]
    temperature: Annotated[float, Field(gt=0, le=5)]
    max_turns: Positive
    max_new_tokens: MaxNewTokens
    batch_size: Positive


class ProbeParams(Section):
    """Attempts of known verdict: `share` of a task's trajectories, at least `minimum`; a share `planted` is wrong."""

    share: Share
    minimum: Annotated[int, Field(ge=1, le=1_000_000)]
    planted: Share


class EditParams(Section):
    """`check_reason`: a feedback of M_theta whose reason is not the expert's counts as contradicted.

    `salvage`: what cannot be brought to a right end is kept up to its last verified feedback.
    """

    max_updates: Positive
    check_reason: bool
    probes: ProbeParams | None
    salvage: bool


class ValidateParams(Section):
    """Bounds of the gate. `min_rows` holds for each task; `min_recall` and `max_false_alarms` for its expert."""

    min_rows: Count
    improves_share: tuple[Share, Share]
    min_recall: Share
    max_false_alarms: Share

    @model_validator(mode="after")
    def _ordered(self) -> "ValidateParams":
        if self.improves_share[0] > self.improves_share[1]:
            raise ValueError("improves_share: the first bound is above the second; swap them")
        return self


class WeightParams(Section):
    """Weight of a segment's tokens in the loss."""

    question: Weight
    attempt: Weight
    wrong_attempt: Weight
    feedback: Weight
    update: Weight

    @model_validator(mode="after")
    def _teaches(self) -> "WeightParams":
        if not (self.attempt and self.feedback and self.update):
            raise ValueError("attempt, feedback and update must weigh more than 0, or nothing is learned from them")
        return self


class RebalanceParams(Section):
    """`p`: share of improvements, `auto` (share of wrong first attempts of M_{t-1}) or `none` (as they come)."""

    p: Share | Literal["auto", "none"]
    shortage: Literal["shrink", "keep"]
    replay: Literal["window", "all"]
    weights: WeightParams | Literal["paper"]


class EvalParams(Section):
    """Greedy, oracle-free self-correction."""

    max_turns: Positive
    max_new_tokens: MaxNewTokens
    batch_size: Positive


class TrackParams(Section):
    """MLflow. `tracking_uri: null` means MLFLOW_TRACKING_URI, else a sqlite file in the repository."""

    experiment: Annotated[str, Field(min_length=1)]
    tracking_uri: str | None


class IterationParams(Section):
    """`prev`: the iteration whose model this one starts from."""

    prev: Iteration


class Params(Section):
    """The whole of `params.yaml`."""

    seed: Annotated[int, Field(ge=0, lt=2**31)]
    final: Iteration
    history: Literal["last", "full"]
    feedback: Literal["verdict", "walk"]
    iterations: dict[Iteration, IterationParams]
    model: ModelParams
    problems: Annotated[dict[str, SourceParams], Field(min_length=1)]
    warmup: TrainParams | Literal["none"]
    rollout: RolloutParams
    llms: dict[LlmName, LlmParams]
    calls: CallsParams
    serve: ServeParams
    edit: EditParams
    validate_: Annotated[ValidateParams, Field(alias="validate")]
    rebalance: RebalanceParams
    train: TrainParams
    eval: EvalParams
    track: TrackParams

    def layout(self, chat: ChatTurns | None = None) -> Layout:
        """How M_theta reads and writes turns; `chat`: the model's (`load_turns`)."""
        return Layout(history=self.history, feedback=self.feedback, chat=chat)

    @model_validator(mode="after")
    def _chain(self) -> "Params":
        flaws = chain_flaws({t: iteration.prev for t, iteration in self.iterations.items()}, self.final)
        if flaws:
            raise ValueError("\n".join(flaws))
        return self

    @model_validator(mode="after")
    def _llms_have_endpoints(self) -> "Params":
        flaws = llm_flaws(self.llms, self.calls)
        if flaws:
            raise ValueError("\n".join(flaws))
        return self

    @model_validator(mode="after")
    def _decodes_somewhere(self) -> "Params":
        if self.model.backend == "openai" and self.serve.base_url is None and self.serve.command is None:
            said = "model.backend is openai, and nobody says where; set it, or serve.command"
            raise ValueError(f"serve.base_url: {said}")
        return self

    @model_validator(mode="after")
    def _one_adapter(self) -> "Params":
        before = None if self.warmup == "none" else self.warmup.lora
        if before and self.train.lora and not self.train.lora.same_weights(before):
            said = "rank, alpha and targets must be those of warmup.lora: training goes on with its adapter"
            raise ValueError(f"train.lora: {said}; make them equal, or set warmup.lora to null")
        return self

    @model_validator(mode="after")
    def _has_problems(self) -> "Params":
        sources = self.problems.values()
        if not any(source.train for source in sources):
            raise ValueError("problems: train is 0 for every task, there is nothing to learn from; ask for some")
        if not any(source.validation or source.unseen_validation for source in sources):
            raise ValueError("problems: validation is 0 for every task, there is nothing to measure on; ask for some")
        return self
