"""What of the layout of turns can be chosen; `prompts.py` writes it, `text.py` reads it."""

from typing import Literal

import msgspec


class Layout(msgspec.Struct, frozen=True):
    """How M_theta reads and writes turns, in rollout, evaluation and training alike.

    `history`: what it sees besides x, the last (y_i, f_i) or all turns. `feedback`: what it writes as f_i, the
    `verdict` at once, or a `walk` that first says of each step before the wrong one that it is correct.
    """

    history: Literal["last", "full"] = "last"
    feedback: Literal["verdict", "walk"] = "verdict"


PAPER_LAYOUT = Layout()
"""What the authors' code has."""
