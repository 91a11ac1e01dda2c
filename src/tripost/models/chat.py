"""A tokenizer's chat template as the strings around what is said, found by rendering a conversation once.

Whatever the template puts before the model's next words is what each of its turns begins with in training, too, so
that M_theta is trained on the bytes it will be asked with; nearly all templates write that themselves, those that
treat the last turn in a way of its own (by a block of empty thoughts, say) do not. A template is a foreign program:
`transformers` runs it in a sandbox, here with a clock that stands still and words of ours.
"""

import re
import resource
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.files import read_bounded
from tripost.layout import ChatTurns

FILE = "chat_turns.json"
"""In the folder of a model that is asked in chat messages."""
MOST_BYTES, MOST_CHARACTERS, LONGEST_MARKER = 1_000_000, 50_000, 40
SECONDS, MEMORY = 10, 2_000_000_000
"""What rendering a conversation may take: a template is a program, and jinja's sandbox bounds neither."""
STEP_BY_STEP = "\nLet's think step by step."
CHECK = (
    "Check your answer. Name the first wrong step, the wrong part of it and why it is wrong, "
    "or say that all steps and the final response are correct."
)
UPDATE = "Now write the updated answer."
WORDS = ("Aqxj", "Bqxj", "Cqxj", "Dqxj", "Eqxj")
"""Stand for x, y_0, a request, f_0, a request."""
TODAY = "26 Jul 2024"
CLOCK = f"{{%- macro strftime_now(format) -%}}{TODAY}{{%- endmacro -%}}"
"""In the place of the function by which templates ask for the date: what is trained on must not depend on it."""
INSTEAD = "take format: plain"


def find_turns(tokenizer: Any) -> ChatTurns:
    """The strings around a conversation's words. Raises ModelError for a template that cannot be used."""
    if not tokenizer.chat_template:
        raise ModelError(f"the tokenizer has no chat template; {INSTEAD}, or a model that is made for chats")
    added = [token for token in tokenizer.added_tokens_decoder.values() if len(str(token)) > 1]
    special = tuple(sorted({str(token) for token in added if token.special}))
    x, y, ask, f, again = WORDS
    first = _pieces(_render(tokenizer, WORDS[:1]), (x,))
    second = _pieces(_render(tokenizer, WORDS[:3]), (x, y, ask))
    third = _pieces(_render(tokenizer, WORDS), (x, y, ask, f, again))
    end = _end_of_turn(second[2], special)
    if not third[4].startswith(end):
        raise ModelError(f"its chat template ends turns in different ways; {INSTEAD}")
    lead = second[1].removeprefix(first[1])
    written = "".join([*first, *second, *third])  # what the template says of itself nobody else may say
    own = {str(token) for token in added if token.special or (str(token).strip() and str(token) in written)}
    own |= _markers([*first, *second, *third], special)
    return ChatTurns(
        question=first[0],
        answer=STEP_BY_STEP + first[1],
        feedback=second[2].removeprefix(end) + CHECK + second[3],
        update=third[4].removeprefix(end) + UPDATE + third[5],
        lead=lead if lead.isspace() else "",
        end=end,
        special=tuple(sorted(own)),
    )


def _render(tokenizer: Any, words: Sequence[str]) -> str:
    """The conversation, user and model in turn, up to where the model speaks next."""
    messages = [{"role": "assistant" if k % 2 else "user", "content": content} for k, content in enumerate(words)]
    try:
        with bounded(SECONDS, MEMORY):
            text = tokenizer.apply_chat_template(
                messages,
                chat_template=CLOCK + str(tokenizer.get_chat_template()),
                tokenize=False,
                add_generation_prompt=True,
                enable_thinking=False,  # the steps are to be seen
                date_string=TODAY,
            )
    except Exception as error:  # a foreign program raises whatever it likes
        said = " ".join(str(error).split())[:200] or type(error).__name__
        raise ModelError(f"its chat template does not take a conversation ({said}); {INSTEAD}") from None
    if len(text) > MOST_CHARACTERS:
        raise ModelError(f"its chat template writes {len(text)} characters around a few words; {INSTEAD}")
    return str(text)


def _markers(pieces: Sequence[str], special: Sequence[str]) -> set[str]:
    """What a template writes between special tokens that is no mere word: `[/INST]`, `USER:`."""
    between = re.split("|".join(map(re.escape, special)) if special else r"(?!)", "\0".join(pieces))
    found = {part.strip() for piece in between for part in piece.split("\0")}
    return {part for part in found if 3 <= len(part) <= LONGEST_MARKER and not part.isalnum()}


def _pieces(text: str, words: Sequence[str]) -> list[str]:
    """What stands before, between and behind the words."""
    found: list[str] = []
    once = all(text.count(word) == 1 for word in words)
    for word in words:
        before, there, text = text.partition(word)
        once = once and bool(there)
        found.append(before)
    if not once:
        raise ModelError(f"its chat template does not write each message once, in order; {INSTEAD}")
    return [*found, text]


def _end_of_turn(behind: str, special: Sequence[str]) -> str:
    """What stands behind the model's words, up to the special token that ends its turn."""
    found = [(behind.index(token), -len(token), token) for token in special if token in behind]
    first, _, token = min(found, default=(-1, 0, ""))
    if first < 0 or behind[:first].strip():
        raise ModelError(f"its chat template has no special token that ends a turn; {INSTEAD}")
    return behind[:first] + token


@contextmanager
def bounded(seconds: int, memory: int) -> Iterator[None]:
    """TimeoutError or MemoryError where what is done here takes more; in the main thread, where stages run."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return

    def late(*_: object) -> None:
        raise TimeoutError(f"more than {seconds} s")

    before, (soft, hard) = signal.signal(signal.SIGALRM, late), resource.getrlimit(resource.RLIMIT_AS)
    pages = Path("/proc/self/statm")
    if pages.exists():
        used = int(pages.read_text(encoding="ascii").split()[0]) * resource.getpagesize()
        limit = used + memory if soft == resource.RLIM_INFINITY else min(soft, used + memory)
        resource.setrlimit(resource.RLIMIT_AS, (limit, hard))
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)
        resource.setrlimit(resource.RLIMIT_AS, (soft, hard))


class SavedTurns:
    """The strings in the folder of a model; where there are none, nothing."""

    def __init__(self, turns: ChatTurns | None) -> None:
        self.turns = turns

    def save_pretrained(self, folder: Path) -> None:
        """Write them beside weights and tokenizer."""
        if self.turns is not None:
            (folder / FILE).write_bytes(msgspec.json.format(msgspec.json.encode(self.turns), indent=1) + b"\n")


def load_turns(folder: str | Path) -> ChatTurns | None:
    """How the model of a folder is asked: in chat messages, or (None) in plain text. Raises ModelError."""
    file = Path(folder) / FILE
    if not file.exists():
        return None
    try:
        turns = msgspec.json.decode(read_bounded(file, MOST_BYTES) or b"", type=ChatTurns)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: {str(error)[:200]}; make the model anew: dvc repro") from None
    if not turns.end.strip() or any(len(token) < 2 for token in turns.special):
        raise ModelError(f"{file}: no end of a turn, or a letter that is special; make the model anew: dvc repro")
    return turns
