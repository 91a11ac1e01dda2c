"""What must not be printed, published or committed: how it looks, and texts without it."""

import re
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

ADDRESS = re.compile(r"(?<!sqlite)(?<!file)://[^/\s]*@|://[^/\s:@]+:[^/\s@]*@")
"""User and password of an address; a path of sqlite or file may hold an @."""
TOKEN = re.compile(
    r"\b(?:hf_|sk-|gh[pousr]_|github_pat_|glpat-|xox[abprs]-|AKIA|AIza|eyJ)[\w.-]{12,}"
    r"|(?<=[?&#;])[\w-]*(?:token|key|sig|pass|pw|secret)[\w-]*=[^&\s#]*",
    re.IGNORECASE,
)


def holds_credentials(text: str) -> bool:
    """Whether something in a text looks like a password or a key."""
    return bool(ADDRESS.search(text) or TOKEN.search(text))


def masked(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without what looks like credentials, and without these secrets."""
    text = re.sub(r"(?<!sqlite)(?<!file)://\S*@", "://***@", text)
    text = TOKEN.sub("***", ADDRESS.sub("://***@", text))
    for secret in sorted((secret for secret in secrets if len(secret) > 3), key=len, reverse=True):
        text = text.replace(secret, "***")
    return text


def without(text: str, key: str) -> str:
    """The text without this key, should somebody say it back; nothing else is looked for."""
    return text.replace(key, "***") if len(key) > 4 else text


def masked_address(uri: str) -> str:
    """An address without user and password, query and fragment, whatever they are."""
    start, slashes, rest = uri.partition("//") if "//" in uri else ("", "", uri)
    kept = re.split("[?#]", rest, maxsplit=1)[0]
    cut = "?***" if kept != rest else ""
    if "@" in kept and not start.startswith("sqlite"):
        kept = "***@" + kept.rpartition("@")[2]
    return masked(f"{start}{slashes}{kept}{cut}")


def secrets_of(uri: str) -> list[str]:
    """The parts of an address that no message may hold."""
    try:
        parts = urlsplit(uri)
        found = [parts.password or "", parts.query, parts.fragment]
    except ValueError:
        found = [uri]
    return [form for text in found for form in (text, unquote(text))]
