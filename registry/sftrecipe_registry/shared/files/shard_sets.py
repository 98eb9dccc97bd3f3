"""Files that are one data set together, by their names: `train-00001-of-00003.jsonl`."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice
from pathlib import PurePosixPath

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.files.packed_files import plain_name

texts = Texts(__package__)
_SHARD = re.compile(
    r"(?P<begin>.*[-_.]|)(?P<number>\d{1,9})(?P<of>[-_]of[-_])(?P<count>\d{1,9})(?P<end>.*)"
)
_NAMED = 5


def check_shards(names: Iterable[str], shown: str) -> None:
    """Refuse sets of which a part is missing or stands twice. Raises PluginRefused."""
    sets: dict[tuple[str, str], dict[int, str]] = {}
    for name in names:
        path = PurePosixPath(name)
        if found := _SHARD.fullmatch(plain_name(path.name)):
            begin = (path.parent / found["begin"]).as_posix()
            parts = sets.setdefault((begin, found["count"]), {})
            number = int(found["number"])
            if number in parts:
                told = texts("part-twice", folder=shown, first=parts[number], second=name)
                raise PluginRefused(told)
            parts[number] = name
    for (_, count), parts in sets.items():
        _check_whole(parts, int(count), shown)


def _check_whole(parts: dict[int, str], count: int, shown: str) -> None:
    """Refuse a set whose parts are not all there. Raises PluginRefused."""
    first = 1 if count in parts and 0 not in parts else 0
    every = range(first, first + count)
    lacking = count - sum(number in every for number in parts)
    if not lacking:
        return
    like = next(iter(parts.values()))
    absent = islice((number for number in every if number not in parts), _NAMED)
    names = ", ".join(f"'{_renumbered(like, number)}'" for number in absent)
    known = {"folder": shown, "there": count - lacking, "count": count, "names": names}
    if lacking <= _NAMED:
        raise PluginRefused(texts("parts-missing", **known))
    raise PluginRefused(texts("more-parts-missing", **known, more=lacking - _NAMED))


def _renumbered(name: str, number: int) -> str:
    """The name of another part of the same set."""
    path = PurePosixPath(name)
    found = _SHARD.fullmatch(path.name)
    if found is None:
        return name
    digits = str(number).zfill(len(found["number"]))
    other = f"{found['begin']}{digits}{found['of']}{found['count']}{found['end']}"
    return (path.parent / other).as_posix()
