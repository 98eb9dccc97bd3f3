"""Keys and addresses of providers: `${env:NAME}` where it may stand, a key to its vendor alone."""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import cache
from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import urlsplit

from sftrecipe.errors import Position, Problem
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.vendors.vendor_facts import known_vendors
from sftrecipe.recipe.blocks import BlockDraft, crash_problem
from sftrecipe.recipe.reader.node import Node, Path
from sftrecipe.recipe.user_settings import ALLOWED_KEYS, add_settings, read_settings

_USE = re.compile(r"\$\{\s{0,20}env\s{0,20}:([^}$]{0,100})\}")
"""Bounded, so that no recipe makes it slow."""
_VARIABLE = re.compile(r"\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}")
_NEVER_IN_ADDRESS = re.compile(r"[\s\\\x00-\x1f\x7f]")
_SECRET_NAME = re.compile(r"key|token|secret|passw|credential|auth", re.IGNORECASE)
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


def place_problems(root: Node) -> Iterator[Problem]:
    """Environment variables outside of providers; those inside are checked with their plugin."""
    profiles = root.get("profiles")
    if profiles and profiles.is_mapping:
        for profile in profiles.value.values():
            yield from place_problems(profile)
    for path, node in root.texts():
        if path[:1] in ((), ("profiles",)):
            continue
        if path[0] == "providers" and len(path) > 2 and path[2] != "use":
            continue
        for use in _USE.finditer(node.value):
            yield Problem("environment-place", node.place, {"name": use[1].strip()})


class SecretCheck:
    """The environment variables of one recipe's providers."""

    def __init__(
        self, root: Node, allowed: Collection[tuple[str, str]], environment: Mapping[str, str]
    ) -> None:
        self._root = root
        self._allowed = allowed
        self._environment = environment

    def problems(self, draft: BlockDraft, *, asked: bool) -> Iterator[Problem]:
        """What is wrong with the variables of a provider; `asked`: some block asks it."""
        provider = draft.plugin
        if not isinstance(provider, Provider):
            return
        try:
            sent = provider.sends()
        except Exception as error:
            yield crash_problem(draft, self._root, error)
            return
        for path, value in _values(draft):
            for use in _USE.finditer(value):
                yield from self._use_problems(use[1].strip(), value, path, draft, sent)
        for value in dict.fromkeys((*sent, *sent.values(), *_addresses(draft))):
            whole = _VARIABLE.fullmatch(value)
            if whole and asked and not self._environment.get(whole[1]):
                place = self._value_place(draft, value)
                yield Problem("unset-environment", place, {"name": whole[1]}, "export-variable")
        yield from self._writing_problems(draft, sent, asked=asked)
        for secret, address in sent.items():
            yield from self._sending_problems(secret, address, draft)
        for address in _addresses(draft):
            if address not in sent.values():
                yield from self._sending_problems("", address, draft)

    def _writing_problems(
        self, draft: BlockDraft, sent: Mapping[str, str], *, asked: bool
    ) -> Iterator[Problem]:
        """Keys that are written out, or in another way than `${env:NAME}`; values that are none."""
        for path, value in _values(draft):
            if value not in sent and not is_secret_name(str(path[-1])):
                continue
            place, whole = draft.place(self._root, *path), _VARIABLE.fullmatch(value)
            address = sent.get(value) or next(iter(_addresses(draft)), "")
            host = _scheme_and_host(self._filled(address))[1]
            if whole:
                held = self._environment.get(whole[1])
                if asked and held and not may_be_sent(held):
                    yield Problem("key-value", place, {"name": whole[1]}, "export-key-alone")
            elif _USE.search(value):
                continue  # told as it is used
            elif name := variable_in(value):
                yield Problem("key-form", place, {"name": name}, "whole-value")
            elif is_written_out(value, host):
                values = {"key": str(path[-1]), "name": "NAME"}
                yield Problem("key-literal", place, values, "export-and-name")

    def _filled(self, address: str) -> str:
        variable = _VARIABLE.fullmatch(address)
        return self._environment.get(variable[1], "") if variable else address

    def _use_problems(
        self, name: str, value: str, path: Path, draft: BlockDraft, sent: Mapping[str, str]
    ) -> Iterator[Problem]:
        place = draft.place(self._root, *path)
        if value not in sent and value not in sent.values() and not _is_address(path):
            yield Problem("environment-place", place, {"name": name})
        elif not _VARIABLE.fullmatch(value):
            yield Problem("environment-mixed", place, {"name": name}, "whole-value")

    def _sending_problems(self, secret: str, address: str, draft: BlockDraft) -> Iterator[Problem]:
        """Whether a value may go to an address."""
        variable, filled = _VARIABLE.fullmatch(address), self._filled(address)
        if not filled or (_USE.search(address) and not variable):
            return  # the latter is told as it is used
        if address in _addresses(draft) and (wrong := misspelling_of(filled)):
            place, suggestion = self._value_place(draft, address), wrong.suggestion
            values = {"key": _key_of(draft, address), "suggestion": suggestion}
            hint = "write-suggestion" if suggestion and not variable else None
            yield Problem(wrong.slug, place, values, hint)
            return
        scheme, host = _scheme_and_host(filled)
        if host is None or (variable and "://" not in filled):  # a key is no address
            place = self._value_place(draft, address)
            yield Problem("bad-url", place, {"key": _key_of(draft, address)})
            return
        whole = _VARIABLE.fullmatch(secret)
        if whole is None or is_loopback(host) or (whole[1], host) in self._allowed:
            return
        place = self._value_place(draft, secret)
        told = {"name": whole[1], "host": host}
        if not belongs_to(whole[1], host):
            yield Problem("key-host", place, told, "allow-key")
        elif scheme == "http":
            yield Problem("key-unencrypted", place, told, "allow-key")

    def _value_place(self, draft: BlockDraft, value: str) -> Position:
        """Where a value stands in a provider's block; the block where it is a default."""
        for path, found in _values(draft):
            if found == value:
                return draft.place(self._root, *path)
        return draft.place(self._root, "use")


def _values(draft: BlockDraft) -> Iterator[tuple[Path, str]]:
    for path, node in draft.node.texts():
        if path != ("use",):
            yield path, node.value


def _is_address(path: Path) -> bool:
    return len(path) == 1 and str(path[0]).endswith("url")


def _addresses(draft: BlockDraft) -> list[str]:
    return [value for path, value in _values(draft) if _is_address(path)]


def _key_of(draft: BlockDraft, value: str) -> str:
    return next((str(path[-1]) for path, found in _values(draft) if found == value), draft.use)


def _scheme_and_host(address: str) -> tuple[str, str | None]:
    """Scheme and host of an address or a bare host; no host where readers could disagree on it."""
    if _NEVER_IN_ADDRESS.search(address) or "@" in address:
        return "", None
    try:
        parts = urlsplit(address if "://" in address else f"https://{address}")
        host = parts.hostname
        _ = parts.port  # raises where it is no number
    except ValueError:
        return "", None
    if parts.scheme not in ("http", "https") or not host:
        return "", None
    return parts.scheme, host.lower().rstrip(".")


def environment() -> Mapping[str, str]:
    """The user's environment."""
    return os.environ


class Misspelling(NamedTuple):
    """What is wrong with an address, and what to write, where that is clear."""

    slug: str
    suggestion: str | None = None


def is_secret_name(name: str) -> bool:
    """Whether an option of this name holds a secret."""
    return bool(_SECRET_NAME.search(name)) and not _COUNTS.search(name)


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


def misspelling_of(address: str) -> Misspelling | None:
    """What is wrong with an address; None where nothing is."""
    if not _ADDRESS.fullmatch(address):
        return Misspelling("bad-url", _suggested_address(address))
    if endpoint := _ENDPOINT.search(address):
        return Misspelling("url-endpoint", address[: endpoint.start()])
    return None


def _suggested_address(address: str) -> str | None:
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


@cache
def hosts_by_variable() -> Mapping[str, tuple[str, ...]]:
    """The hosts that a vendor's key belongs to. Any other host has to be allowed by the user."""
    found: dict[str, tuple[str, ...]] = {}
    for vendor in known_vendors().values():
        for variable in vendor.keys:
            found[variable] = (*found.get(variable, ()), *vendor.hosts)
    return found


def belongs_to(variable: str, host: str) -> bool:
    """Whether the host is one of the variable's vendor."""
    return host in hosts_by_variable().get(variable, ())


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed_keys() -> set[tuple[str, str]]:
    """Pairs of variable and host that the user has allowed."""
    hosts = read_settings(ALLOWED_KEYS)
    return {(variable, host) for variable in hosts for host in hosts[variable]}


def remember_keys(pairs: Iterable[tuple[str, str]]) -> None:
    """Add pairs to those that the user has allowed."""
    hosts: dict[str, list[str]] = {}
    for variable, host in sorted({(variable, host.lower()) for variable, host in pairs}):
        hosts.setdefault(variable, []).append(host)
    if hosts:
        add_settings(ALLOWED_KEYS, hosts)
