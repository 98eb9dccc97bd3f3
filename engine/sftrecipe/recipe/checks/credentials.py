"""How keys and addresses are written in a recipe, and what the environment's keys may hold."""

from __future__ import annotations

import re
import unicodedata
from ipaddress import ip_address
from typing import NamedTuple

from sftrecipe.recipe.checks.key_owners import is_loopback

SECRET_NAME = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)
_COUNTS = re.compile(r"tokens|tokenizer|keys?_?(column|field)", re.IGNORECASE)

_PLACEHOLDERS = frozenset(
    ("", "-", "dummy", "empty", "fake", "lm-studio", "n/a", "na", "no-key", "nokey", "none",
     "not-needed", "null", "ollama", "sk-no-key", "sk-no-key-required", "test", "unused", "x")
)  # fmt: skip
"""What stands for a key where a server asks for none."""
_LOCAL = re.compile(r"[A-Za-z0-9._-]{1,40}")
_REAL_LENGTH = 20
_NAME = re.compile(r"[A-Z][A-Z0-9_]{2,}")
_KEY = re.compile(r"[\x21\x23-\x26\x28-\x5f\x61-\x7e]+")
"""What a key is made of: what a header can carry, without quotes and white space."""
_ADDRESS = re.compile(
    r"https?://(?:[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?(?:/[A-Za-z0-9._~%+/:-]*)?"
)
_ENDPOINT = re.compile(r"/(?:chat/completions|completions|embeddings)/*\Z")


class Misspelt(NamedTuple):
    """What is wrong with an address, and what to write, where that is clear."""

    slug: str
    suggestion: str | None = None


def is_secret_name(name: str) -> bool:
    """Whether an option of this name holds a secret."""
    return bool(SECRET_NAME.search(name)) and not _COUNTS.search(name)


def is_written_out(value: str, host: str | None) -> bool:
    """Whether a value is no placeholder for a key, so that it may be one; `host`: where it goes.

    This machine's own servers take any short word.
    """
    if value.strip().lower() in _PLACEHOLDERS:
        return False
    if host is None or not is_loopback(host) or not _LOCAL.fullmatch(value):
        return True
    return len(value) >= _REAL_LENGTH and any(each.isdigit() for each in value)


def variable_in(value: str) -> str | None:
    """The environment variable that a value names in another way than the recipe's."""
    plain = unicodedata.normalize("NFKC", value).strip()
    bare = re.sub(r"[$%{}()<>\s]|(?i:env|os\.environ|process\.env)[.:/\[]", "", plain)
    return bare if bare != value.strip() and _NAME.fullmatch(bare) else None


def may_be_sent(value: str) -> bool:
    """Whether the value of a variable can be a key: it fits a header, and is no header itself."""
    return bool(_KEY.fullmatch(value))


def misspelt(address: str) -> Misspelt | None:
    """What is wrong with an address; None where nothing is."""
    if not _ADDRESS.fullmatch(address):
        return Misspelt("bad-url", _suggested(address))
    if endpoint := _ENDPOINT.search(address):
        return Misspelt("url-endpoint", address[: endpoint.start()])
    return None


def _suggested(address: str) -> str | None:
    """The address that was probably meant; None where that could show a secret."""
    plain = unicodedata.normalize("NFKC", address).strip()
    if "://" not in plain:
        plain = f"{'http' if _is_near(plain) else 'https'}://{plain}"
    return _ENDPOINT.sub("", plain) if _ADDRESS.fullmatch(plain) else None


def _is_near(address: str) -> bool:
    """Whether the host is this machine or one of its network, where nobody has certificates."""
    host = re.split(r"[:/]", address, maxsplit=1)[0]
    try:
        return ip_address(host).is_private
    except ValueError:
        return is_loopback(host)
