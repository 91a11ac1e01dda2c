"""Ours, once: what was answered in an earlier life is in FOLDER/replies.jsonl (`told.py`).

openai is imported beforehand, as the peers' libraries are: no side's imports are in its seconds.
"""

import os

import openai  # noqa: F401 (imports are not timed)

from bench.llm.told import KEY, KEY_NAME, Told, once, questions
from bench.llm.work import calls, works
from tripost.chat import client  # noqa: F401 (likewise)
from tripost.chat.asker import Asker
from tripost.chat.in_order import in_order
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Failure, Reply


def ask(told: Told) -> dict[int, str]:
    """The options: `endpoint`, what is changed of its params; `spread` of the questions' lengths; `names`: outcomes
    instead of texts."""
    os.environ[KEY_NAME] = KEY
    texts = questions(told.rows, told.options.get("spread", 0))
    say = named if told.options.get("names") else said
    log = ReplyLog(told.folder / "replies.jsonl")
    with Asker(calls(told.base_url, told.concurrency, told.options.get("endpoint", {})), log) as asker:
        return {number: say(found) for number, found in enumerate(in_order(works(texts, asker), asker))}


def said(found: Reply | Failure) -> str:
    """The words."""
    return found.text if isinstance(found, Reply) else f"failed: {found}"


def named(found: Reply | Failure) -> str:
    """The word for how it ended."""
    return found.outcome if isinstance(found, Reply) else f"{found.outcome} (no reply, {found.tries} tries)"


if __name__ == "__main__":
    once(ask)
