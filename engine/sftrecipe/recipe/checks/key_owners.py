"""Which environment variable holds whose key, and the pairs that the user has allowed."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from functools import cache
from ipaddress import ip_address
from pathlib import Path

from sftrecipe.plugin.vendors.vendor_facts import known_vendors


@cache
def hosts_by_variable() -> Mapping[str, tuple[str, ...]]:
    """The hosts that a vendor's key belongs to. Any other host has to be allowed by the user."""
    found: dict[str, tuple[str, ...]] = {}
    for vendor in known_vendors().values():
        for variable in vendor.keys:
            found[variable] = (*found.get(variable, ()), *vendor.hosts)
    return found


def belongs(variable: str, host: str) -> bool:
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
    """Pairs of variable and host that the user has allowed; none if the file cannot be read."""
    try:
        pairs = json.loads(_file().read_text(encoding="utf-8"))
        return {(str(name), str(host)) for name, hosts in pairs.items() for host in hosts}
    except (OSError, ValueError, AttributeError, TypeError):
        return set()


def remember_keys(pairs: Iterable[tuple[str, str]]) -> None:
    """Add pairs to those that the user has allowed."""
    known = allowed_keys()
    every = known | {(name, host.lower()) for name, host in pairs}
    if every == known:
        return
    by_name: dict[str, list[str]] = {}
    for name, host in sorted(every):
        by_name.setdefault(name, []).append(host)
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    new.write_text(json.dumps(by_name, indent=2) + "\n", encoding="utf-8")
    new.replace(file)


def _file() -> Path:
    return settings_file("allowed_keys.json")


def settings_file(name: str) -> Path:
    """A file of the user's own settings, whatever the recipe."""
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "sftrecipe" / name
