"""What the tokenizer is learned from: the tasks' texts and the corpus, with made-up words blotted out."""

import random
import re
from itertools import islice
from typing import Any

from tripost.pretrain.corpus import SHARES, pages
from tripost.pretrain.formats import task_documents
from tripost.pretrain.tokenizer import build_tokenizer
from tripost.registry import TASKS
from tripost.tasks.word_sorting import some_words
from tripost.text import ANSWER, FEEDBACK, QUESTION, UPDATE

DOCUMENTS, PAGES, LISTS = 1_500, 400, 3_000
PHRASES, SYLLABLES = 600, 400
_MARKER = re.compile("|".join(map(re.escape, (ANSWER, FEEDBACK, UPDATE))))
_MADE_UP = re.compile(r'"[a-z]+"|(?<=: )[a-z ]{5,}')
_WORD_PAGES = ("looking", "grouping", "ordering", "ticking", "letter checks", "order checks", "lists")


def embedded_tokenizer(context: int, phrases: int = PHRASES, syllables: int = SYLLABLES) -> Any:
    """The embedded base's tokenizer, made anew; the same each time."""
    families = {
        name: [
            part
            for text in task_documents(name, DOCUMENTS, 7)
            for part in _MARKER.split(_blotted(text) if name == "word_sorting" else text)
            if part
        ]
        for name in TASKS
    }
    for kind in [kind for kind in SHARES if kind != "spelling"]:
        texts = ["".join(text for text, _ in page) for page in islice(pages(kind, "words"), PAGES)]
        families[f"page: {kind}"] = [_blotted(text) if kind in _WORD_PAGES else text for text in texts]
    rng = random.Random(0)
    words = [word for _ in range(LISTS) for word in some_words(6, rng)]
    return build_tokenizer(families, (QUESTION, ANSWER, FEEDBACK, UPDATE), words, phrases, syllables, context)


def _blotted(text: str) -> str:
    """Without made-up words, none of which is to be a token of its own."""
    return _MADE_UP.sub('"@"', text)
