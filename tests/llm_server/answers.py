"""Answer functions that need nothing; any importable `module:function` will do as well."""

from tests.llm_server.config import Body


def fixed(body: Body) -> str:
    """The same for everything."""
    return "The answer is 42."


def echo(body: Body) -> str:
    """The last message of the user, or the prompt."""
    if "prompt" in body:
        return str(body["prompt"])
    return next((str(said["content"]) for said in reversed(body["messages"]) if said["role"] == "user"), "")
