"""A model of 512 x 8 layers: how much of the time of training and decoding goes into the matmuls that they need.

The other side multiplies matrices of the same shapes, forward and backward, linear layers and attention, and does
nothing else. A ratio of 0.55 says that 55 % of the time is arithmetic that no implementation can leave out.
"""

import os
import sys
import tempfile
from pathlib import Path

import msgspec

from bench.speed.examples import examples
from bench.speed.pairs import Row, Side, interleaved, ratio_row, write
from tripost.models.encode import encode
from tripost.models.load import load_tokenizer, save_whole
from tripost.models.scratch import build_model
from tripost.params_file import load_params
from tripost.params_model import ScratchParams

EMBEDDED = "models/embedded"
WIDTH, LAYERS, HEADS = 512, 8, 8
COUNT, ROWS, STEPS = 6, 64, 60
"""Problems a task to train on; rows that are decoded together, and tokens that each writes."""
SURE = 30.0
"""Times what the logits would be: as far apart as a trained model's."""


def workload(folder: Path) -> str:
    """The model with random weights, examples, and the sizes of what is computed with them, in a file."""
    tokenizer = load_tokenizer(EMBEDDED)
    size = ScratchParams(layers=LAYERS, width=WIDTH, heads=HEADS, context=1536, drill_pages=0, drill=None)
    model = build_model(size, len(tokenizer), tokenizer.eos_token_id, 1)
    model.model.norm.weight.data.mul_(SURE)  # random weights are never sure, and what is too close is computed twice
    save_whole(folder / "model", model, tokenizer)
    made = examples(COUNT)
    training = load_params(Path("params.yaml")).train.model_dump()
    prompts = [example.segments[0].text for example in made][:ROWS]
    path = folder / "work.json"
    content = {
        "model": str(folder / "model"),
        "examples": made,
        "rows": encode(tokenizer, made),
        "training": training,
        "prompts": (prompts * ROWS)[:ROWS],
        "steps": STEPS,
    }
    path.write_bytes(msgspec.json.encode(content))
    return str(path)


def main(pairs: int) -> list[Row]:
    """Two rows."""
    rows: list[Row] = []
    threads = str(len(os.sched_getaffinity(0)))
    with tempfile.TemporaryDirectory() as folder:
        work = workload(Path(folder))
        for what in ("train", "decode"):
            sides = [
                Side([sys.executable, "-m", f"bench.speed.wide_{side}", what, work], OMP_NUM_THREADS=threads)
                for side in ("ours", "matmuls")
            ]
            mine, others = interleaved(sides[0], sides[1], pairs)
            name = f"{what} tokens/s, width {WIDTH}, {LAYERS} layers"
            rows.append(ratio_row(name, "the same matmuls alone", mine, others, 0.55, f"{threads} threads"))
            for side in sides:
                side.end()
    write("wide", rows)
    return rows
