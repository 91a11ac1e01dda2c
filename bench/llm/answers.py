"""Answers of the benches' server."""

from tests.llm_server.answers import echo
from tests.llm_server.config import Body
from tests.llm_server.faults import draw


def varied(body: Body) -> str:
    """Between 5 and 19 tokens, 12 in the mean; the question decides."""
    number = int(echo(body)[9:15])
    return "word" * (5 + int(15 * draw(0, number, 0, "length")))
