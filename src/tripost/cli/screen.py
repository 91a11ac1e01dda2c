"""What reaches the terminal. Text of models and of files is shown, never obeyed."""

import os
import sys

from rich.console import Console

LOG_WIDTH = 120


def console() -> Console:
    """As wide as the terminal, or as COLUMNS says; LOG_WIDTH in a pipe. No markup, no emoji codes, no guesses."""
    narrow = sys.stdout.isatty() or os.environ.get("COLUMNS", "").isdigit()
    return Console(width=None if narrow else LOG_WIDTH, markup=False, emoji=False, highlight=False)


def colours(out: Console) -> bool:
    """Whether a colour will be seen."""
    return out.color_system is not None and not out.no_color


def clean(text: str) -> str:
    r"""What cannot be printed as its escape: `\x1b` (terminal codes), `\u202e` (text direction), `\xa0`, ...

    Newlines and tabs stay.
    """
    return "".join(c if c.isprintable() or c in "\n\t" else c.encode("unicode_escape").decode() for c in text)


def shorten(text: str, limit: int) -> str:
    """The first `limit` characters, clean, and how many more there are."""
    rest = len(text) - limit
    return clean(text) if rest <= 0 else clean(text[:limit]) + more(rest)


def more(rest: int) -> str:
    """What stands where `rest` characters were cut."""
    return f"... ({rest:,} characters more)"
