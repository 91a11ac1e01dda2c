"""What the tokenizer is learned from: the tasks' texts and the corpus, with made-up words blotted out."""

import re
from itertools import islice
from typing import Any

from tripost.pretrain.corpus import SHARES, pages
from tripost.pretrain.formats import task_documents
from tripost.pretrain.tokenizer import build_tokenizer
from tripost.registry import TASKS
from tripost.text import ANSWER, FEEDBACK, QUESTION, UPDATE

DOCUMENTS, PAGES, PHRASES = 1_500, 400, 600
_MARKER = re.compile("|".join(map(re.escape, (ANSWER, FEEDBACK, UPDATE))))
_MADE_UP = re.compile(r'"[a-z]+"|(?<=: )[a-z ]{5,}')
_WORD_PAGES = ("looking", "grouping", "ordering", "ticking", "merging", "letter checks", "order checks", "lists")


def embedded_tokenizer(context: int, phrases: int = PHRASES) -> Any:
    """The embedded base's tokenizer, made anew; the same each time."""
    families = {name: task_documents(name, DOCUMENTS, 7) for name in TASKS}
    families["word_sorting"] = [_blotted(text) for text in families["word_sorting"]]
    for kind in [kind for kind in SHARES if kind != "spelling"]:
        texts = ["".join(text for text, _ in page) for page in islice(pages(kind, "words"), PAGES)]
        families[f"page: {kind}"] = [_blotted(text) if kind in _WORD_PAGES else text for text in texts]
    families = {
        name: [part for text in texts for part in _MARKER.split(text) if part] for name, texts in families.items()
    }
    return build_tokenizer(families, (QUESTION, ANSWER, FEEDBACK, UPDATE), phrases, context)


def _blotted(text: str) -> str:
    """Without made-up words, none of which is to be a token of its own."""
    return _MADE_UP.sub('"@"', text)
