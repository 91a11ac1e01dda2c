"""Hostile texts at several sizes, and the worst that we could think of against each parser."""

from tripost.text import ALL_CORRECT

SIZES = (1_000, 20_000, 1_000_000, 8_000_000)
"""Characters; the second is the most that is read as an attempt, the last the most that a record's line may have."""
END = "\n(Final response) So the answer is 7."
BECAUSE = '" is incorrect. This is because '


def fill(piece: str, size: int) -> str:
    """The piece over and over."""
    return (piece * (size // len(piece) + 1))[:size]


def numbered(piece: str, size: int, steps: int) -> str:
    """An attempt of so many steps."""
    width = max(1, size // steps - 8)
    return "\n".join(f"({n}) {fill(piece, width)}" for n in range(1, steps + 1)) + END


REPEATED = {
    "one letter": "a",
    "brackets": "(",
    "closing brackets": ")",
    "powers": "9**",
    "import": '__import__("os")',
    "digits": "9",
    "unicode digits": "\u0663\u00b2\u216b",
    "right to left": "\u202e\u2066",
    "control characters": "\x00\x1b[31m",
    "blanks": " ",
    "line breaks": "\n",
    "all kinds of line breaks": "\r\x0b\x0c\x1c\u2028\x85",
    "markers": "Feedback: \nUpdated Answer:\nQ: \n",
    "false claims": f"{ALL_CORRECT} ",
    "special tokens, open": "<|",
    "special tokens": "<|im_end|>",
    "equals": " = ",
    "additions": "1 + ",
    "minus": "-",
    "answers": "so the answer is ",
    "labels": "(1.1.1.1.1.1.1.1) ",
    "quotes": '"',
    "quotes by turns": "\"a' ",
    "quoted letters": '"a"="a" (1), ',
    "quoted words": '"a" < ',
    "open groups": '(1) ["a" ? ',
    "because": BECAUSE,
    "emoji": "\U0001f600",
}


def texts() -> dict[str, str]:
    """Name -> text, without any form."""
    found = {f"{name}, {size:,}": fill(piece, size) for name, piece in REPEATED.items() for size in SIZES}
    return found | {"9**9**9": "9**9**9", "thousands of steps": numbered("a", 100_000, 5_000)}


def attempts() -> dict[str, str]:
    """Name -> text in the form of an attempt, as long as one may be."""
    found = {f"one step of {name}": f"(1) {fill(piece, 19_950)}{END}" for name, piece in REPEATED.items()}
    found |= {f"299 steps of {name}": numbered(piece, 19_500, 299) for name, piece in REPEATED.items()}
    return found | {
        "a long sum": f"(1) Then, the final equation is {fill('1 + ', 1_900)}1{fill(' = 1', 17_000)}.{END}",
        "a chain of 6,000": f"(1) Then, the final equation is (A - B){fill(' = -5', 19_000)}.{END}",
        "definitions": f'(1) This equation can be written as "A", where {fill("A = (1), ", 19_000)}{END}',
        "ands": f'(1) This equation can be written as "A", where {fill(" and ", 19_000)}{END}',
        "letters of a word": f"(1) The first letter: {fill(quoted('aa'), 19_800)}{END}",
        "a group of 201": f"(1) We now have: (1) [{' ? '.join([chr(34) + 'a' * 60 + chr(34)] * 250)}]{END}",
        "open subparts": subparts(2, 150),
        "large open subparts": subparts(40, 24),
        "many lines on open subparts": subparts(2, 90, 200),
        "many lines on large open subparts": subparts(12, 40, 100),
        "an answer of 5,000 words": f"(1) The first letter: {quoted('aaa')[:-2]}{END[:-2]}{fill(' aaa', 19_000)}",
    }


def quoted(word: str) -> str:
    """What a line says of a word's first letter."""
    return f'"{word}"="{word[0]}" ({ord(word[0]) - 96}), '


def words() -> list[str]:
    """200 different words with one beginning."""
    return [f"a{chr(97 + n // 26)}{chr(97 + n % 26)}" for n in range(200)]


def subparts(size: int, count: int, more: int = 0) -> str:
    """Subparts that are opened one after the other and never closed, and right lines on the first one of them."""
    many, lines = words(), []
    for n in range(count):
        group = [many[(n * 7 + k) % 200] for k in range(size)]
        named = " ? ".join(f'"{word}"' for word in group)
        letter = quoted(group[0][1:]).replace('"', f'"{group[0][0]}', 1)[:-2]
        lines.append(f"Now sort this subpart [{named}] by looking at their second letters: {letter}.")
    lines += [f"We now have: (1) [{' ? '.join(f'{chr(34)}{word}{chr(34)}' for word in many[:size])}]."] * more
    return "\n".join(f"({n}) {line}" for n, line in enumerate(lines, start=1))[: 20_000 - len(END)] + END


PARTS: dict[str, tuple[str, str]] = {
    "letters among letters": ("a" * 10_000, "a" * 20_000),
    "blanks and letters": ("a " * 5_000 + "a", "a " * 9_999 + "aa"),
    "letters with breaks": ("a-b" * 3_000, "a-b" * 6_666),
    "short among letters": ("a", "a" * 20_000),
    "almost there": ("a" * 9_999 + "b", "a" * 19_999),
    "twice the longest text": ("a-" * 10_000 + "a", "a-" * 20_000 + "aa"),
}
"""A part and the line in which it is sought."""
