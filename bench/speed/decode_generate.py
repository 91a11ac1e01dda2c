"""The other side of the rollout, transformers' `generate`:

python -m bench.speed.decode_generate WORKLOAD BATCH PRECISION THREADS ORDER
"""

import hashlib
import json
import sys
from pathlib import Path
from typing import Any

from bench.speed.side import serve


def main(workload: str, batch: str, precision: str, threads: str, order: str) -> None:
    """Greedy completions, batch by batch, padded on the left; ORDER: `given` or `sorted` by length."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    torch.set_num_threads(int(threads))
    work = json.loads(Path(workload).read_text())
    tokenizer = AutoTokenizer.from_pretrained(work["model"], padding_side="left")
    model: Any = AutoModelForCausalLM.from_pretrained(work["model"], dtype=getattr(torch, precision))
    model.train(mode=False)
    prompts = work["prompts"]
    lengths = [len(ids) for ids in tokenizer(prompts)["input_ids"]]
    rows = sorted(range(len(prompts)), key=lambda row: lengths[row]) if order == "sorted" else range(len(prompts))

    def run() -> dict[str, Any]:
        texts = [""] * len(prompts)
        written = 0
        for start in range(0, len(prompts), int(batch)):
            mine = list(rows[start : start + int(batch)])
            inputs = tokenizer([prompts[row] for row in mine], return_tensors="pt", padding=True)
            inputs.pop("token_type_ids", None)
            with torch.inference_mode():
                out = model.generate(
                    **inputs,
                    do_sample=False,
                    max_new_tokens=work["max_new_tokens"],
                    eos_token_id=tokenizer.eos_token_id,
                    pad_token_id=tokenizer.eos_token_id,
                )
            for row, ids in zip(mine, out[:, inputs["input_ids"].shape[1] :].tolist(), strict=True):
                ids = ids[: ids.index(tokenizer.eos_token_id)] if tokenizer.eos_token_id in ids else ids
                written += len(ids)
                texts[row] = str(tokenizer.decode(ids))
        return {"units": written, "texts": [hashlib.sha256(text.encode()).hexdigest()[:16] for text in texts]}

    serve(run)


if __name__ == "__main__":
    main(*sys.argv[1:])
