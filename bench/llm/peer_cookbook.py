"""The well-known asynchronous loop of the OpenAI cookbook, written anew from its description, once (`told.py`).

A loop takes the next request, from those to be tried again or else from the file; it waits until the capacity for
requests and tokens, filled up by the second, has room; it sends the request as a task of its own, which appends the
reply to a JSON lines file, or puts the request among those to be tried again, five times at most. After a 429 nothing
is sent for 15 seconds. As there, a file that has replies already is appended to, and everything is asked.

At its best here: capacities raised out of the way, as many connections as the others ask at once, tokens counted
from characters (it would use a tokenizer).
"""

import asyncio
import json
import time
from collections import deque
from pathlib import Path
from typing import Any

import aiohttp

from bench.llm.told import KEY, MAX_TOKENS, MODEL, TIMEOUT_S, Told, messages, once, questions

PER_MINUTE = {"requests": 1_000_000.0, "tokens": 10_000_000_000.0}
TRIES = 5
PAUSE_S = 15.0
NAP_S = 0.001


class Task:
    """A request and how often it may still be tried."""

    def __init__(self, number: int, body: dict[str, Any]) -> None:
        self.number, self.body, self.left = number, body, TRIES
        characters = sum(len(said["content"]) for said in body["messages"])
        self.tokens = characters / 4 + body["max_tokens"]
        self.errors: list[str] = []


class Loop:
    """What the loop and its tasks share."""

    def __init__(self, url: str, into: Path) -> None:
        self.url, self.into = url, into
        self.again: deque[Task] = deque()
        self.under_way = 0
        self.choked_at = 0.0

    async def run(self, requests: Path, concurrency: int) -> None:
        """Until the file is read and nothing is under way."""
        timeout = aiohttp.ClientTimeout(total=None, sock_read=TIMEOUT_S)
        async with aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=concurrency), headers={"Authorization": f"Bearer {KEY}"},
            timeout=timeout,
        ) as session:  # fmt: skip
            with requests.open(encoding="utf-8") as lines:
                await self._all(session, (Task(*json.loads(line)) for line in lines))

    async def _all(self, session: aiohttp.ClientSession, coming: Any) -> None:
        capacity, filled = dict(PER_MINUTE), time.monotonic()
        task: Task | None = None
        more, tasks = True, set()
        while True:
            if task is None:
                if self.again:
                    task = self.again.popleft()
                elif more:
                    task = next(coming, None)
                    more = task is not None
            now = time.monotonic()
            for kind, most in PER_MINUTE.items():
                capacity[kind] = min(most, capacity[kind] + most * (now - filled) / 60)
            filled = now
            if task is not None and capacity["requests"] >= 1 and capacity["tokens"] >= task.tokens:
                capacity["requests"] -= 1
                capacity["tokens"] -= task.tokens
                task.left -= 1
                self.under_way += 1
                tasks.add(job := asyncio.create_task(self._call(session, task)))
                job.add_done_callback(tasks.discard)
                task = None
            if task is None and not more and not self.again and not self.under_way:
                return
            await asyncio.sleep(max(NAP_S, self.choked_at + PAUSE_S - time.monotonic() if self.choked_at else 0))
            self.choked_at = 0.0 if time.monotonic() > self.choked_at + PAUSE_S else self.choked_at

    async def _call(self, session: aiohttp.ClientSession, task: Task) -> None:
        try:
            async with session.post(self.url, json=task.body) as response:
                answer = await response.json()
                if response.status == 429:
                    self.choked_at = time.monotonic()
                if "error" in answer:
                    raise ValueError(str(answer["error"]))
        except Exception as error:  # so does the pattern: whatever it is, the task is queued anew
            task.errors.append(repr(error))
            if task.left:
                self.again.append(task)
            else:
                self._append(task, task.errors)
        else:
            self._append(task, answer)
        finally:
            self.under_way -= 1

    def _append(self, task: Task, answer: Any) -> None:
        with self.into.open("a", encoding="utf-8") as file:
            file.write(json.dumps([task.number, task.body, answer]) + "\n")


def ask(told: Told) -> dict[int, str]:
    """All of them, by way of files."""
    requests, replies = told.folder / "requests.jsonl", told.folder / "results.jsonl"
    with requests.open("w", encoding="utf-8") as file:
        for number, text in enumerate(questions(told.rows)):
            body = {"model": MODEL, "messages": messages(text), "max_tokens": MAX_TOKENS, "temperature": 0.0}
            file.write(json.dumps([number, body]) + "\n")
    asyncio.run(Loop(f"{told.base_url}/chat/completions", replies).run(requests, told.concurrency))
    found: dict[int, str] = {}
    with replies.open(encoding="utf-8") as lines:
        for line in lines:
            try:
                number, _, answer = json.loads(line)
                found[number] = answer["choices"][0]["message"]["content"]
            except (ValueError, TypeError, LookupError):
                continue  # torn by a kill, or the errors of a request
    return found


if __name__ == "__main__":
    once(ask)
