"""distilabel, once, in its own environment (`told.py`). Its cache is in FOLDER and on.

At its best here: OpenAILLM (asynchronous) under TextGeneration, a batch as large as the others ask at once, since a
batch is gathered before the next one begins.
"""

import os

os.environ.update(HF_HUB_OFFLINE="1", HF_DATASETS_OFFLINE="1", DISTILABEL_LOG_LEVEL="WARNING")

from distilabel.models import OpenAILLM
from distilabel.pipeline import Pipeline
from distilabel.steps import LoadDataFromDicts
from distilabel.steps.tasks import TextGeneration

from bench.llm.told import KEY, MAX_TOKENS, MODEL, SYSTEM, TIMEOUT_S, Told, once, questions


def ask(told: Told) -> dict[int, str]:
    """All of them; the option `batch` is the size of a batch."""
    batch = told.options.get("batch", told.concurrency)
    rows = [{"number": number, "instruction": text} for number, text in enumerate(questions(told.rows))]
    with Pipeline(name="bench", cache_dir=told.folder) as pipeline:
        llm = OpenAILLM(
            model=MODEL,
            base_url=told.base_url,
            api_key=KEY,
            timeout=TIMEOUT_S,
            generation_kwargs={"max_new_tokens": MAX_TOKENS, "temperature": 0.0},
        )
        load = LoadDataFromDicts(name="load", data=rows, batch_size=batch)
        load >> TextGeneration(name="ask", llm=llm, system_prompt=SYSTEM, input_batch_size=batch)
    found = pipeline.run(use_cache=True)["default"]["train"]
    return {row["number"]: row["generation"] or "" for row in found}


if __name__ == "__main__":
    once(ask)
