"""A tokenizer's chat template as the strings around what is said, found by rendering a conversation once.

Whatever the template puts before the model's next words is what each of its turns begins with in training, too, so
that M_theta is trained on the bytes it will be asked with; nearly all templates write that themselves, those that
treat the last turn in a way of its own (by a block of empty thoughts, say) do not. A template is a foreign program:
`transformers` runs it in a sandbox, here with a clock that stands still and words of ours.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from tripost.errors import ModelError
from tripost.files import read_bounded
from tripost.layout import ChatTurns

FILE = "chat_turns.json"
"""In the folder of a model that is asked in chat messages."""
MOST_BYTES = 1_000_000
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
    return str(text)


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
        return msgspec.json.decode(read_bounded(file, MOST_BYTES) or b"", type=ChatTurns)
    except (OSError, ValueError) as error:
        raise ModelError(f"{file}: {str(error)[:200]}; make the model anew: dvc repro") from None
