"""Where a quoted part stands in a line: not inside a longer number or word, and in one search."""

import re

_WORD = re.compile(r"[^\W_]+|[\W_]")


def find_part(part: str, line: str) -> tuple[int, int] | None:
    """Where `part` stands in `line` (start, end), not inside a longer number or word; None if nowhere."""
    start = line.find(part) if part else -1
    if start < 0:
        return None
    end = start + len(part)
    cut_left = start > 0 and part[0].isalnum() and line[start - 1].isalnum()
    cut_right = end < len(line) and part[-1].isalnum() and line[end].isalnum()
    return _find_words(part, line) if cut_left or cut_right else (start, end)


def _find_words(part: str, line: str) -> tuple[int, int] | None:
    """The same for a part that first stands inside something longer: words are sought among words, in one search,
    since trying place after place takes minutes where a long part overlaps itself."""
    words = _WORD.findall(line)
    place = "\n".join(("", *words, "")).find("\n".join(("", *_WORD.findall(part), "")))
    if place < 0:
        return None
    start = 0
    for word in words:
        if place <= 0:
            break
        place -= len(word) + 1
        start += len(word)
    return start, start + len(part)
