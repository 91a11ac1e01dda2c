"""A whole pipeline that fits into seconds: toy params, for a model overfitted on a few problems."""

import os
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tripost.params import Params
from tripost.params_file import check_params

ROOT = Path(__file__).resolve().parent.parent
EMBEDDED = ROOT / "models" / "embedded"
os.environ.setdefault("HF_HUB_DISABLE_PROGRESS_BARS", "1")


def raw_params(**changes: Any) -> dict[str, Any]:
    """`params.yaml` with toy sizes; `changes` replace top-level keys."""
    raw: dict[str, Any] = YAML(typ="safe", pure=True).load((ROOT / "params.yaml").read_text(encoding="utf-8"))
    raw["iterations"] = {"t1": {"prev": "t0"}, "t2": {"prev": "t1"}}
    raw["final"], raw["feedback"] = "t2", "verdict"
    raw["model"]["base"] = "scratch"
    raw["model"]["scratch"].update(layers=2, width=64, heads=2, context=512, drill_pages=4)
    raw["model"]["scratch"]["drill"] = {**raw["warmup"], "tokens": None, "epochs": 1, "learning_rate": 4e-3}
    small = {"multistep_arithmetic": ["length 3, depth [2]"], "word_sorting": ["2 words"]}
    raw["problems"] = {name: raw["problems"][name] for name in small}
    for name, seen in small.items():
        raw["problems"][name].update(
            seen=seen,
            train=6,
            validation=3,
            test=2,
            unseen_validation=1,
            unseen_test=1,
            source="generated",
            path=None,
        )
    limits = {"attempt": 200, "feedback": 90}
    raw["warmup"].update(epochs=70, tokens=None, batch_size=4, learning_rate=4e-3)
    raw["train"].update(epochs=2, tokens=None, batch_size=4, learning_rate=1e-4)
    raw["rollout"].update(samples=3, window=6, max_turns=3, max_new_tokens=limits)
    raw["edit"].update(max_updates=3)
    raw["eval"].update(max_turns=3, max_new_tokens=limits)
    raw["validate"].update(min_rows=0, improves_share=[0.0, 1.0])
    return {**raw, **changes}


def toy_params(**changes: Any) -> Params:
    """The toy params, checked."""
    return check_params(raw_params(**changes))
