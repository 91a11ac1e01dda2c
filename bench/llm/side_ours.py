"""Ours: `in_order` over questions, answered by the asker, each reply in the log on the disk.

python -m bench.llm.side_ours BASE_URL COUNT CONCURRENCY
"""

import os
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench.llm.told import KEY, KEY_NAME, questions
from bench.llm.work import calls, works
from bench.speed.side import serve
from tripost.chat.asker import Asker
from tripost.chat.in_order import in_order
from tripost.chat.reply_log import ReplyLog
from tripost.chat.request import Reply


def main() -> None:
    """Ask all of them, with a log of its own each time."""
    base_url, count, concurrency = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    os.environ[KEY_NAME] = KEY
    texts = questions(count)

    def run() -> dict[str, Any]:
        with tempfile.TemporaryDirectory() as folder:
            log = ReplyLog(Path(folder) / "replies.jsonl")
            with Asker(calls(base_url, concurrency, {}), log) as asker:
                good = sum(isinstance(found, Reply) for found in in_order(works(texts, asker), asker))
        return {"units": good}

    serve(run)


if __name__ == "__main__":
    main()
