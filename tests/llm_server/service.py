"""Which path leads where, and who may take it."""

import re

import msgspec

from tests.llm_server import calls
from tests.llm_server.batches import Batches, shown
from tests.llm_server.config import Config
from tests.llm_server.state import State
from tests.llm_server.wire import Reply, Request, error

AZURE = re.compile(r"/openai/deployments/([^/]+)/(chat/)?completions")


class LLMService:
    """An OpenAI-compatible API, Azure's paths included; `/_stats`, `/_config` and `/health` need no key."""

    def __init__(self, config: Config) -> None:
        self._state = State(config)
        self._batches = Batches(self._state)

    def reply(self, request: Request) -> Reply:
        """The reply to any request."""
        state, path, headers = self._state, request.path, request.headers
        if path.startswith("/_") or path == "/health":
            found = self._control(request)
            found.counted = False
            return found
        state.stats.requests += 1
        key = state.config.key
        if headers.get("authorization") != f"Bearer {key}" and headers.get("api-key") != key:
            state.stats.bad_keys += 1
            return error(401, "Incorrect API key provided.", "invalid_api_key")
        if request.method == "POST":
            if path == "/v1/chat/completions":
                return calls.reply(state, request.body, True)
            if path == "/v1/completions":
                return calls.reply(state, request.body, False)
            if (azure := AZURE.fullmatch(path)) and "api-version=" in request.query:
                return calls.reply(state, request.body, bool(azure[2]), azure[1])
        if (request.method, path) == ("GET", "/v1/models"):
            models = [
                {"id": name, "object": "model", "created": 0, "owned_by": "tests"} for name in state.config.models
            ]
            return shown({"object": "list", "data": models})
        if path.startswith(("/v1/files", "/v1/batches")) and not state.config.no_batch:
            return self._batches.reply(request)
        return error(404, f"Invalid URL ({request.method} {path})", "unknown_url")

    def ended(self, reply: Reply, sent: bool) -> None:
        """A reply was sent, or will never be."""
        self._state.ended(reply, sent)

    def _control(self, request: Request) -> Reply:
        match (request.method, request.path):
            case ("GET", "/_stats"):
                return Reply(200, msgspec.json.encode(self._state.snapshot()))
            case ("POST", "/_config"):
                try:
                    self._state.configure(msgspec.json.decode(request.body, type=Config))
                except (ValueError, ImportError, AttributeError) as wrong:
                    return error(400, f"{type(wrong).__name__}: {wrong}")
                return shown({})
            case ("GET", "/health"):
                return shown({"status": "ok"})
        return error(404, f"Invalid URL ({request.method} {request.path})", "unknown_url")
