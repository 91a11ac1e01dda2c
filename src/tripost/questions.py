"""How questions are compared: what counts as the same question, and what must not be split."""

from hashlib import sha256

from tripost.interfaces import Grouped, Task


def normalise(question: str) -> str:
    """A question as it is compared across splits: case and white space do not count."""
    return " ".join(question.casefold().split())


def digest(text: str) -> str:
    """A short name of a normalised text, the same in every source."""
    return sha256(normalise(text).encode()).hexdigest()[:12]


def shared_text(task: Task, question: str) -> str:
    """What of a question must not stand in two splits: its paragraph, say; all of it where the task does not say."""
    return task.shared(question) if isinstance(task, Grouped) else question
