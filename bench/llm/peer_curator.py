"""bespokelabs-curator, once, in its own environment (`told.py`). Its cache is in FOLDER and on.

At its best here: the openai backend, which asks with aiohttp; requests and tokens a minute raised out of the way;
as many at once as the others; all answers required only as a warning. No viewer, no telemetry.
"""

import os
from importlib.util import find_spec

_LITELLM = find_spec("litellm")
assert _LITELLM is not None
assert _LITELLM.origin is not None
_VOCABULARY = os.path.join(os.path.dirname(_LITELLM.origin), "litellm_core_utils", "tokenizers")
"""It counts tokens with a vocabulary that it would fetch; its litellm brings the same file."""
os.environ.update(TIKTOKEN_CACHE_DIR=_VOCABULARY)
os.environ.update(TELEMETRY_ENABLED="false", LITELLM_LOCAL_MODEL_COST_MAP="True", CURATOR_DISABLE_RICH_DISPLAY="1")

from bespokelabs import curator  # noqa: E402 (it reads the environment when it is imported)

from bench.llm.told import KEY, MAX_TOKENS, MODEL, SYSTEM, TIMEOUT_S, Told, once, questions  # noqa: E402 (stands with it)


class Grader(curator.LLM):  # type: ignore[misc]  # of no type here
    """A question as a chat, its answer with its number."""

    def prompt(self, row: dict[str, str]) -> str:
        """The user's words."""
        return row["text"]

    def parse(self, row: dict[str, str], answer: str) -> dict[str, str]:
        """Kept with the number."""
        return {"number": row["number"], "answer": answer}


def ask(told: Told) -> dict[int, str]:
    """All of them."""
    os.environ["OPENAI_API_KEY"] = KEY
    grader = Grader(
        model_name=MODEL,
        backend="openai",
        system_prompt=SYSTEM,
        generation_params={"max_tokens": MAX_TOKENS, "temperature": 0.0},
        backend_params={
            "base_url": told.base_url,
            "max_concurrent_requests": told.concurrency,
            "max_requests_per_minute": 1_000_000,
            "max_tokens_per_minute": 10_000_000_000,
            "request_timeout": TIMEOUT_S,
            "require_all_responses": False,
        },
    )
    rows = [{"number": str(number), "text": text} for number, text in enumerate(questions(told.rows))]
    found = grader(rows, working_dir=str(told.folder))
    return {int(row["number"]): row["answer"] for row in found.dataset}


if __name__ == "__main__":
    once(ask)
