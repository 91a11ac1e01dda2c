"""Training as the paper's code does it: one example at a time, padded to one length, gradients added up.

python -m bench.speed.train_padded WORKLOAD THREADS
"""

import json
import sys
from pathlib import Path
from typing import Any

from bench.speed.side import serve


def main(workload: str, threads: str) -> None:
    """One epoch over the workload's token rows."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.set_num_threads(int(threads))
    work = json.loads(Path(workload).read_text())
    rows, length, size = work["rows"], work["length"], work["training"]["batch_size"]
    model: Any = AutoModelForCausalLM.from_pretrained(work["model"], dtype=torch.float32).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=work["training"]["learning_rate"])

    def run() -> dict[str, Any]:
        tokens = 0
        for start in range(0, len(rows), size):
            batch = rows[start : start + size]
            for row in batch:
                n = len(row["ids"])
                ids = torch.zeros(1, length, dtype=torch.long)
                labels = torch.full((1, length), -100)
                mask = torch.zeros(1, length, dtype=torch.long)
                ids[0, :n] = torch.tensor(row["ids"])
                mask[0, :n] = 1
                wanted = [token if weight else -100 for token, weight in zip(row["ids"], row["weights"], strict=True)]
                labels[0, :n] = torch.tensor(wanted)
                loss = model(input_ids=ids, attention_mask=mask, labels=labels).loss / len(batch)
                loss.backward()
                tokens += n
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            optimizer.zero_grad()
        return {"units": tokens}

    serve(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
