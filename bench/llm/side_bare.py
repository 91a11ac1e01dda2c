"""The bare client: openai.AsyncOpenAI, a semaphore and gather, nothing kept.

python -m bench.llm.side_bare BASE_URL COUNT CONCURRENCY
"""

import asyncio
import sys
from typing import Any

import openai

from bench.llm.told import KEY, MAX_TOKENS, MODEL, SYSTEM, TIMEOUT_S, questions
from bench.speed.side import serve


async def ask(base_url: str, texts: list[str], concurrency: int) -> int:
    """Ask all of them at once, but for the semaphore; returns how many were answered."""
    places = asyncio.Semaphore(concurrency)
    async with openai.AsyncOpenAI(api_key=KEY, base_url=base_url, max_retries=0, timeout=TIMEOUT_S) as client:

        async def one(text: str) -> bool:
            async with places:
                found = await client.chat.completions.create(
                    model=MODEL,
                    messages=[{"role": "system", "content": SYSTEM}, {"role": "user", "content": text}],
                    max_tokens=MAX_TOKENS,
                    temperature=0.0,
                )
            return bool(found.choices[0].message.content)

        return sum(await asyncio.gather(*map(one, texts)))


def main() -> None:
    """A new client each time."""
    base_url, count, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    texts = questions(count)

    def run() -> dict[str, Any]:
        return {"units": asyncio.run(ask(base_url, texts, concurrency))}

    serve(run)


if __name__ == "__main__":
    main()
