"""TRL's SFTTrainer, in an environment of its own (bench/requirements-trl.txt):

python bench/speed/train_trl.py WORKLOAD SETTINGS      SETTINGS: JSON of SFTConfig arguments, and `threads`
"""

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parent))
from side import serve


def main(workload: str, settings: str) -> None:
    """One epoch over the workload's token rows."""
    import torch
    from datasets import Dataset
    from transformers import AutoModelForCausalLM, AutoTokenizer
    from trl import SFTConfig, SFTTrainer

    work, asked = json.loads(Path(workload).read_text()), json.loads(settings)
    torch.set_num_threads(asked.pop("threads"))
    rows = work["rows"]
    data = Dataset.from_list(
        [{"input_ids": row["ids"], "completion_mask": [int(w > 0) for w in row["weights"]]} for row in rows]
    )
    tokenizer = AutoTokenizer.from_pretrained(work["model"])
    model: Any = AutoModelForCausalLM.from_pretrained(work["model"], dtype=torch.float32)
    folder = tempfile.TemporaryDirectory()
    trainer = SFTTrainer(
        model=model,
        processing_class=tokenizer,
        train_dataset=data,
        args=SFTConfig(
            output_dir=folder.name,
            num_train_epochs=1,
            learning_rate=work["training"]["learning_rate"],
            report_to=[],
            save_strategy="no",
            logging_strategy="no",
            disable_tqdm=True,
            use_cpu=not torch.cuda.is_available(),
            gradient_checkpointing=False,
            completion_only_loss=True,
            **asked,
        ),
    )
    packed = trainer.train_dataset
    tokens = sum(len(row["input_ids"]) for row in packed)  # what is too long was cut

    leak = leaks(trainer)

    def run() -> dict[str, Any]:
        trainer.train()
        return {"units": tokens}

    serve(run, rows=len(packed), columns=packed.column_names, leaks=leak)


def leaks(trainer: Any) -> bool | None:
    """Whether a packed row's last example sees those before it (its logits change with theirs). None: no packing."""
    import torch

    batch = {name: value for name, value in next(iter(trainer.get_train_dataloader())).items() if name != "labels"}
    positions = batch.get("position_ids")
    if not trainer.args.packing:
        return None
    ids = batch["input_ids"]
    starts = [] if positions is None else (positions[0] == 0).nonzero()[:, 0].tolist()
    start = starts[-1] if len(starts) > 1 else ids.shape[1] // 2  # without positions the row is one text to the model
    other = ids.clone()
    other[0, :start] = (other[0, :start] + 7) % 1000
    model = trainer.model.eval()
    with torch.no_grad():
        one, two = (model(**{**batch, "input_ids": x}).logits[0, start:] for x in (ids, other))
    model.train()
    return not torch.allclose(one, two, atol=1e-4)


if __name__ == "__main__":
    main(*sys.argv[1:])
