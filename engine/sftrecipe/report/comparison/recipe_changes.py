"""What changed in a recipe by its meaning: blocks by their ids, options by their names."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest
from typing import Any, Literal

from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.run.written_blocks import written_blocks

_NO_MEANING = frozenset({"vars", "profiles", "extends"})
"""What is filled in, or laid over the rest, before anything is compared."""

Block = tuple[str, Mapping[str, Any]]
"""Its id, and what is written."""


@dataclass(frozen=True)
class RecipeChange:
    """One difference."""

    kind: Literal["added", "removed", "moved", "changed"]
    section: str
    """Empty where it is a key of the recipe itself."""
    block: str
    option: str
    """Keys to the value that changed, with points between them; empty: the whole block."""
    was: Any = None
    now: Any = None

    @property
    def name(self) -> str:
        """Where it is: `generate/ask.with.temperature`."""
        block = f"{self.section}/{self.block}" if self.section else ""
        return ".".join(part for part in (block, self.option) if part)


def recipe_changes(was: Mapping[str, Any], now: Mapping[str, Any]) -> list[RecipeChange]:
    """What changed between two composed documents, their variables filled in."""
    left_out = SECTIONS.keys() | _NO_MEANING
    own = [{key: each[key] for key in each if key not in left_out} for each in (was, now)]
    found = list(_option_changes("", "", *own))
    for section in SECTIONS:
        found += _section_changes(section, _blocks(was, section), _blocks(now, section))
    return found


def _blocks(document: Mapping[str, Any], section: str) -> list[Block]:
    """The blocks of a section, as far as they are blocks: the recipe need not be right."""
    written = document.get(section)
    if isinstance(written, Mapping):
        named = SECTIONS[section].form == "named"
        whole = {name: each for name, each in written.items() if isinstance(each, Mapping)}
        written = whole if named else written
    elif isinstance(written, list):
        written = [each for each in written if isinstance(each, Mapping)]
    else:
        return []
    return list(written_blocks({section: written}, section))


def _section_changes(
    section: str, was: Sequence[Block], now: Sequence[Block]
) -> Iterator[RecipeChange]:
    pairs = _pairs(section, was, now)
    gone = set(range(len(was))) - {place for place in pairs if place is not None}
    for at in sorted(gone):
        yield RecipeChange("removed", section, was[at][0], "", was=was[at][1])
    moved = set() if SECTIONS[section].form == "named" else _out_of_order(pairs)
    for (name, block), place in zip(now, pairs, strict=True):
        if place is None:
            yield RecipeChange("added", section, name, "", now=block)
            continue
        if place in moved:
            yield RecipeChange("moved", section, name, "")
        yield from _option_changes(section, name, was[place][1], block)


def _option_changes(
    section: str, block: str, was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[RecipeChange]:
    for key in dict.fromkeys((*was, *now)):
        for option, old, new in _values(key, was.get(key), now.get(key)):
            yield RecipeChange(_kind(old, new), section, block, option, old, new)


def _pairs(section: str, was: Sequence[Block], now: Sequence[Block]) -> list[int | None]:
    """For every block now, the place of the same one before; None where there was none.

    Blocks without an id are the same where all of them is equal, or else in their order.
    """
    is_named = SECTIONS[section].form == "named"
    free = dict(enumerate(was))
    found: list[int | None] = [None] * len(now)

    def take(same: Any) -> None:
        for at, block in enumerate(now):
            if found[at] is None:
                place = next((p for p, old in free.items() if same(old, block)), None)
                if place is not None:
                    found[at] = place
                    del free[place]

    take(lambda old, new: (is_named or "id" in old[1] or "id" in new[1]) and old[0] == new[0])
    take(lambda old, new: not is_named and "id" not in old[1] and old[1] == new[1])
    take(
        lambda old, new: (
            not is_named
            and "id" not in old[1]
            and "id" not in new[1]
            and old[1].get("use") == new[1].get("use")
        )
    )
    return found


def _out_of_order(places: Sequence[int | None]) -> set[int]:
    """Those that are left out of the longest part that is in order."""
    ends: list[int] = []
    chains: list[list[int]] = []
    known = [place for place in places if place is not None]
    for place in known:
        at = bisect_left(ends, place)
        chain = [*(chains[at - 1] if at else []), place]
        ends[at : at + 1] = [place]
        chains[at : at + 1] = [chain]
    return set(known) - set(chains[-1] if chains else [])


def _values(name: str, was: Any, now: Any) -> Iterator[tuple[str, Any, Any]]:
    """The innermost values that differ, by the keys to them."""
    if was == now and type(was) is type(now):
        return
    if isinstance(was, Mapping) and isinstance(now, Mapping):
        for key in dict.fromkeys((*was, *now)):
            yield from _values(f"{name}.{key}", was.get(key), now.get(key))
    elif _are_alike(was, now):
        for place, (old, new) in enumerate(zip_longest(was, now)):
            yield from _values(f"{name}[{place}]", old, new)
    else:
        yield name, was, now


def _are_alike(was: Any, now: Any) -> bool:
    """Whether both are lists of objects, of which the same place is the same thing."""
    return (
        isinstance(was, list)
        and isinstance(now, list)
        and len(was) == len(now)
        and all(isinstance(each, Mapping) for each in (*was, *now))
    )


def _kind(was: Any, now: Any) -> Literal["added", "removed", "changed"]:
    if was is None:
        return "added"
    return "removed" if now is None else "changed"
