"""What the installed packages declare for sftrecipe; one that cannot be read is passed over."""

from __future__ import annotations

from functools import cache
from importlib.metadata import Distribution, EntryPoint, distributions, entry_points
from typing import NamedTuple

_GROUPS = "sftrecipe."


class Declarations(NamedTuple):
    """The entry points of sftrecipe's groups, and the packages whose entry points are broken."""

    entries: tuple[EntryPoint, ...]
    unreadable: tuple[str, ...] = ()


@cache
def declarations() -> Declarations:
    """What is declared; every installed package's metadata is read, once."""
    try:
        installed = entry_points()
    except Exception:  # one broken package of any kind ends it for all
        return _one_by_one()
    groups = sorted(each for each in installed.groups if each.startswith(_GROUPS))
    return Declarations(tuple(each for name in groups for each in installed.select(group=name)))


def declared(group: str) -> tuple[EntryPoint, ...]:
    """The entry points of one group of sftrecipe's: `presets`, `sources` …"""
    return tuple(each for each in declarations().entries if each.group == _GROUPS + group)


def _one_by_one() -> Declarations:
    entries: list[EntryPoint] = []
    unreadable: list[str] = []
    seen = set()
    for package in distributions():
        name = _name_of(package)
        if name in seen:  # the first on the path is the one that is imported
            continue
        seen.add(name)
        try:
            found = package.entry_points
            entries += (each for each in found if each.group.startswith(_GROUPS))
        except Exception:
            unreadable.append(name)
    return Declarations(tuple(entries), tuple(unreadable))


def _name_of(package: Distribution) -> str:
    try:
        name = package.metadata["Name"]
    except Exception:  # its metadata may be broken as well
        name = None
    return name or str(package.locate_file(""))
