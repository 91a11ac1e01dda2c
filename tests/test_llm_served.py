"""A real server, `transformers serve`, with the embedded model as the expert: it was never taught to be one, so its
replies are rejected, each by its reason, and nothing breaks."""

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.llm_cases import served_params
from tests.test_llm_stage import edited, rows_and_problems
from tests.toy import EMBEDDED
from tripost import edit, filter
from tripost.chat.reply_log import ReplyLog

TEMPLATE = "{% for m in messages %}{{ m.content }}\n\n{% endfor %}"
START_SECONDS = 120


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """Address and model: the embedded model, with a chat template, which serving chats needs."""
    folder = tmp_path_factory.mktemp("served") / "embedded"
    shutil.copytree(EMBEDDED, folder)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    (folder / "tokenizer_config.json").write_text(json.dumps({**config, "chat_template": TEMPLATE}))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    program = str(Path(sys.executable).with_name("transformers"))
    command = [program, "serve", str(folder), "--host", "127.0.0.1", "--port", str(port), "--device", "cpu"]
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}
    with (folder.parent / "log").open("wb") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
    try:
        _wait(server, port, folder.parent / "log")
        yield f"http://127.0.0.1:{port}/v1", str(folder)
    finally:
        server.kill()
        server.wait()


def _wait(server: "subprocess.Popen[bytes]", port: int, log: Path) -> None:
    end = time.monotonic() + START_SECONDS
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/health", timeout=2):
                return
        except OSError:
            assert server.poll() is None, log.read_text()
            assert time.monotonic() < end, log.read_text()
            time.sleep(0.2)


def test_poor_replies_are_rejected_by_reason_and_nothing_breaks(
    served: tuple[str, str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    base_url, model = served
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TRIPOST_TEST_KEY", "none")
    rows, by_id = rows_and_problems(3)
    found = served_params(base_url, {"api": "compatible", "timeout_s": 60.0, "concurrency": 4})
    llm = found.llms["llm"].model_copy(update={"model": model, "tries": 2})
    llm = llm.model_copy(update={"max_tokens": llm.max_tokens.model_copy(update={"feedback": 40, "improve": 60})})
    params = found.model_copy(update={"llms": {"llm": llm}})
    kept, dropped, _ = edited(params, rows, by_id)
    assert len(kept) + len(dropped) == len(rows)
    assert {row.reason for row in dropped} <= {*edit.REASONS, *filter.REASONS} - {"expert_failed"}
    log = ReplyLog(tmp_path / ".tripost" / "replies.jsonl")
    assert len(log) >= len(rows)
    assert all(reply.completion_tokens and reply.prompt_tokens for reply in log.replies())
    again = edited(params, rows, by_id)
    assert (again[0], again[1]) == (kept, dropped)
