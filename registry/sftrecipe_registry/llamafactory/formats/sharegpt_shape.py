"""Rows of LLaMA-Factory's sharegpt and openai formats in the canonical columns."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from sftrecipe.plugin import CALLS_ROLE, Said, Turn, UnreadTurn, is_empty, read_turns, with_media
from sftrecipe_registry.llamafactory.formats.alpaca_shape import (
    MEDIA,
    canonical,
    check_label,
    extras,
)
from sftrecipe_registry.llamafactory.formats.catalogue_entry import Entry
from sftrecipe_registry.llamafactory.formats.turns import BETWEEN_RESULTS
from sftrecipe_registry.shared.readers.rows import Shape, WrongShape

ROLES = {
    "user_tag": "user",
    "assistant_tag": "assistant",
    "observation_tag": "tool",
    "function_tag": CALLS_ROLE,
    "system_tag": "system",
}
_TURNS = (("user", "tool"), ("assistant",))


def sharegpt_shape(entry: Entry, left_out: Collection[str] = ()) -> Shape:
    """How a row of the entry becomes a row of canonical columns.

    As in LLaMA-Factory, a conversation whose turns do not alternate, or that does not end with an
    answer, is no row. `left_out` are keys of turns that are passed over.
    """
    named = entry.columns
    column = named["messages"] or ""
    names = {"tools": named["tools"], **{name: named[name] for name in MEDIA}}
    if named["kto_tag"]:
        names["label"] = named["kto_tag"]
    pair = [(name, named[name]) for name in ("chosen", "rejected")] if entry.ranking else []
    used = frozenset(name for name in (*names.values(), *dict(pair).values()) if name)
    used |= {column, named["system"] or column}
    tagged = _TaggedTurns(entry, left_out)

    def shape(row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        said = tagged.read(_listed(row, column), "message")
        turns = said.turns
        _check_turns(turns, is_ranking=entry.ranking, has_runs=entry.formatting == "openai")
        turns = [each for turn in turns for each in _one_by_one(turn)]
        columns = {"messages": turns} | canonical(row, names)
        if system := row.get(named["system"] or ""):
            if turns[0]["role"] == "system":
                columns["system"] = system  # LLaMA-Factory takes the turn alone: the engine joins
            else:
                turns.insert(0, {"role": "system", "content": system})
        for name, old in pair:
            columns[name] = tagged.answer(row.get(old or ""), name)
        if "label" in names:
            check_label(columns)
        columns = with_media(columns, turns, [columns[name] for name, _ in pair], said.media)
        yield columns | extras(row, used)

    return shape


class _TaggedTurns:
    """Reads turns whose keys and roles have the names that an entry tells."""

    def __init__(self, entry: Entry, left_out: Collection[str]) -> None:
        self._keys = {entry.tags["role_tag"]: "role", entry.tags["content_tag"]: "content"}
        self._roles = {tag: role for name, role in ROLES.items() if (tag := entry.tags[name])}
        self._left_out = left_out

    def read(self, found: Sequence[Any], name: str) -> Said:
        """The turns, in the canonical form. Raises WrongShape or UnreadTurn."""
        if not found:
            raise WrongShape("bad_messages", "there are none")
        turns = [self._renamed(turn, f"{name} {at}") for at, turn in enumerate(found, 1)]
        return read_turns(turns, name, roles=self._roles.get, left_out=self._left_out)

    def answer(self, found: Any, name: str) -> Turn:
        """The chosen or the rejected message."""
        if found is None:
            raise WrongShape("missing_column", name)
        [*before, turn] = self.read([found], name).turns
        if before or turn["role"] != "assistant":
            raise WrongShape("bad_role", f"{name}: '{turn['role']}' does not answer")
        return turn

    def _renamed(self, turn: Any, where: str) -> Any:
        if not isinstance(turn, Mapping):
            raise WrongShape("bad_messages", f"{where} is no object")
        renamed = {self._keys.get(key, key): value for key, value in turn.items()}
        for key, name in self._keys.items():
            if key != name and key in turn and not is_empty(turn.get(name)):
                raise UnreadTurn("unread_part", f"{where}: {name}")
        role = renamed.get("role")
        if not isinstance(role, str):
            raise WrongShape("bad_messages", f"{where}: '{next(iter(self._keys))}' is no text")
        if role not in self._roles:
            raise WrongShape("bad_role", f"{where}: '{role}' is none of {', '.join(self._roles)}")
        return renamed


def _one_by_one(turn: Turn) -> list[Turn]:
    """The results of several calls, which LLaMA-Factory has in one turn."""
    if turn["role"] != "tool" or BETWEEN_RESULTS not in turn["content"]:
        return [turn]
    texts = turn["content"].split(BETWEEN_RESULTS)
    return [{"role": "tool", "content": text} for text in texts]


def _listed(row: Mapping[str, Any], column: str) -> list[Any]:
    if column not in row:
        raise WrongShape("missing_column", column)
    if not isinstance(row[column], list):
        raise WrongShape("bad_messages", f"{column} is no list")
    return list(row[column])


def _check_turns(turns: Sequence[Turn], *, is_ranking: bool, has_runs: bool) -> None:
    """Whether questions and answers alternate; OpenAI's results of several calls are one."""
    first = 1 if turns[0]["role"] == "system" else 0
    place = 0
    for number, turn in enumerate(turns[first:], first):
        is_run = has_runs and turn["role"] == "tool" and turns[number - 1]["role"] == "tool"
        if number > first and is_run:
            continue
        if turn["role"] not in _TURNS[place % 2]:
            raise WrongShape("roles_alternate", f"message {number + 1}: '{turn['role']}'")
        place += 1
    if place % 2 != is_ranking or not place:
        raise WrongShape("roles_alternate", f"{len(turns) - first} turns")
