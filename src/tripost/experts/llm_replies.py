"""What an LLM replied as FBK or IMP, read with tolerance: it was asked for JSON or lines, and writes what it likes.

Nothing here raises for what a model wrote; all patterns are linear and all sizes bounded.
"""

import re
import unicodedata
from typing import NamedTuple

import msgspec

from tripost.parts import find_part
from tripost.records import Attempt
from tripost.text import ALL_CORRECT, LEFTOVERS, MARKERS, parse_attempt, parse_feedback

LONGEST = 20_000
LONGEST_REASON = 600
SCHEMA = msgspec.json.encode(
    {
        "type": "object",
        "properties": {name: {"type": "string"} for name in ("step", "part", "reason")},
        "required": ["step", "part", "reason"],
        "additionalProperties": False,
    }
).decode()
"""FBK's answer where the endpoint takes a schema."""
_FENCE = re.compile(r"\A\s*```[a-z]*[ \t]*\n(.*?)\n?```\s*\Z", re.DOTALL)
_THOUGHT = re.compile(r"\A\s*<think>.*?</think>", re.DOTALL)
_FIELD = re.compile(r"^[\s*_#>-]{0,8}(step|part|reason)[\s*_]{0,4}[:=][\s*_]{0,4}(.*)$", re.IGNORECASE)
_LABEL = re.compile(
    r"(?:first wrong )?(?:step)?\s*[(\[]?\s*([0-9]{1,3}(?:\.[0-9]{1,3}){0,7})\s*[)\]]?", re.IGNORECASE
)
_FINAL = re.compile(r"[(\[]?\s*final(?: (?:response|answer))?\s*[)\]]?", re.IGNORECASE)
_NONE = {"", "none", "null", "nothing", "n/a", "no", "0", "-"}
_STEP = re.compile(r"[ \t]*(?:\([0-9.]{1,40}\)|\(Final (?:response|answer)\))", re.IGNORECASE)
_QUOTES = (('"', '"'), ("'", "'"), ("`", "`"), ("“", "”"), ("«", "»"))


class Verdict(NamedTuple):
    """`step`: 1..n, n+1 for the final response, None where nothing is said to be wrong."""

    step: int | None
    part: str
    reason: str


def read_verdict(text: str, attempt: Attempt) -> Verdict | str:
    """FBK's reply; or, in a few words for the model to read, why it cannot be used."""
    text = _bare(text)
    fields = _as_json(text) or _as_lines(text)
    if fields is None:
        said = parse_feedback(text, attempt, "")
        if said.malformed:
            return "it does not name step, part and reason"
        return Verdict(said.wrong_step, said.wrong_part, said.reason)
    step = _step(fields.get("step", ""), attempt)
    if isinstance(step, str) or step is None:
        return step or Verdict(None, "", "")
    return _sound(step, fields.get("part", ""), fields.get("reason", ""), attempt)


def read_update(text: str, attempt: Attempt, wrong_step: int, author: str) -> Attempt:
    """IMP's reply behind the steps that are kept; malformed where it is no continuation."""
    kept = [line for line in attempt.raw.split("\n") if line.strip()][: wrong_step - 1]
    lines = [line.rstrip() for line in _bare(text).split("\n") if line.strip()]
    start = next((k for k, line in enumerate(lines) if _STEP.match(line)), 0)
    lines = lines[start:]
    if [line.split() for line in lines[: len(kept)]] == [line.split() for line in kept]:
        lines = lines[len(kept) :]
    last = next((k for k, line in enumerate(lines) if line.lstrip().lower().startswith("(final")), len(lines))
    return parse_attempt("\n".join([*kept, *lines[: last + 1]]), author)


def _bare(text: str) -> str:
    """Without a reasoning model's thoughts and the fence around the rest."""
    text = _THOUGHT.sub("", text[:LONGEST], count=1).strip()
    fenced = _FENCE.match(text)
    return fenced[1].strip() if fenced else text


def _as_json(text: str) -> dict[str, str] | None:
    """The object that the text is, or holds."""
    start, end = text.find("{"), text.rfind("}")
    if start < 0 or end < start:
        return None
    try:
        found = msgspec.json.decode(text[start : end + 1])
    except (msgspec.DecodeError, RecursionError):
        return None
    if not isinstance(found, dict):
        return None
    table = {str(name).lower(): "" if value is None else str(value) for name, value in found.items()}
    for name in ("step", "part", "reason"):
        odd = next((key for key in table if key not in ("step", "part", "reason") and name in key), None)
        if name not in table and odd:
            table[name] = table[odd]
    return table if "step" in table else None


def _as_lines(text: str) -> dict[str, str] | None:
    """`Step: 2`, `Part: ...`, `Reason: ...`, each in a line of its own; the first of each counts."""
    table: dict[str, str] = {}
    for line in text.split("\n")[:200]:
        match = _FIELD.match(line)
        if match:
            table.setdefault(match[1].lower(), match[2].strip())
    return table if "step" in table else None


def _step(said: str, attempt: Attempt) -> int | str | None:
    said = said.strip().strip("*_\"'`.")
    if said.lower() in _NONE:
        return None
    if _FINAL.fullmatch(said):
        return len(attempt.steps) + 1
    match = _LABEL.fullmatch(said)
    labels = [step.label for step in attempt.steps]
    if match is None or match[1] not in labels:
        return f"the attempt has no step {said[:40]!r}; name one of {', '.join(labels)[:200]}, or final"
    return labels.index(match[1]) + 1


def _sound(step: int, part: str, reason: str, attempt: Attempt) -> Verdict | str:
    """The verdict, with the part as it stands in the step."""
    line = attempt.line(step)
    found = next((said for said in _unquoted(part) if find_part(said, line)), None)
    if found is None:
        return f"the part {part[:200]!r} does not stand word for word in that step"
    reason = " ".join(reason.split()).removesuffix(".").strip()
    if reason.lower().startswith("because "):
        reason = reason[8:]
    if not reason or len(reason) > LONGEST_REASON:
        return "the reason is missing" if not reason else f"the reason is longer than {LONGEST_REASON} characters"
    if LEFTOVERS.search(reason) or invisible(reason):
        return "the reason holds special tokens or control characters"
    if any(words in reason for words in (*MARKERS[:2], ALL_CORRECT.rstrip("."))):
        return "the reason holds words of the layout, such as Feedback:"
    return Verdict(step, found, reason)


def invisible(text: str) -> bool:
    """Whether it holds characters that nobody sees: joiners, marks of direction, byte order marks."""
    return any(unicodedata.category(c) == "Cf" for c in text)


def _unquoted(part: str) -> list[str]:
    """As it was written, then without quotes around it, then without a full stop."""
    part = part.strip()
    found = [part]
    for opening, closing in _QUOTES:
        if len(part) > 2 and part.startswith(opening) and part.endswith(closing):
            found.append(part[1:-1].strip())
    return [*found, *(said.rstrip(".").rstrip() for said in found)]
