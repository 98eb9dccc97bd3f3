"""A recipe file into nodes: YAML without tags, repeated keys, or ways to exhaust the machine."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingStartEvent,
    NodeEvent,
    ScalarEvent,
    SequenceStartEvent,
    StreamEndEvent,
)

from sftrecipe.errors import Position, Problem, RecipeError, closest
from sftrecipe.messages import Word
from sftrecipe.plugin.regular_files import UnusualFile, open_regular
from sftrecipe.recipe.reader.node import Node, kind_of
from sftrecipe.recipe.reader.paths import names_in
from sftrecipe.recipe.reader.yaml_faults import (
    WIDE_SPACE,
    quoted,
    syntax_problem,
    wide_mark,
    wide_problem,
)

MAX_BYTES = 2_000_000
MAX_DEPTH = 64
MAX_VALUES = 100_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVED_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))
_STANDARD_TAGS = _RESOLVED_TAGS | {f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")}

_TEMPLATE_ALONE = re.compile(r"^ *(?:- +)?[\w-]+: *$|^ *- *$")
_VARIABLE_SO = re.compile(r"\{\{ *(vars\.[\w-]+) *\}\}")
_SPACE_LEFT_OUT = re.compile(r"([A-Za-z_][\w-]*)(:|：)(.*)", re.DOTALL)
Scalar = str | int | float | bool | None
MAX_DIGITS = 18
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False
}  # fmt: skip
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FIRST_OF_NUMBER = frozenset("-+.0123456789")


def read_recipe_file(path: Path) -> Node:
    """The document of a recipe file.

    Raises RecipeError with all problems up to where the YAML breaks off.
    """
    name = str(path)
    try:
        str(path.absolute()).encode()  # run.json and locks hold it as text
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError([_missing_file(path, name)]) from None
    except UnusualFile as error:
        values = {"path": name, "kind": Word(f"a-{error.kind}")}
        near = _recipes_in(path) if error.kind == "folder" else []
        hint = "did-you-mean" if len(near) == 1 else None
        values |= {"suggestion": str(path / near[0])} if hint else {}
        raise RecipeError([Problem("unusual-file", None, values, hint)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        values = {"path": name, "error": reason}
        raise RecipeError([Problem("file-unreadable", None, values)]) from None
    return parse_recipe(content, name)


def _missing_file(path: Path, name: str) -> Problem:
    """A recipe that is not there, with one of a like name beside it."""
    near = closest(path.name, _recipes_in(path.parent))
    values = {"path": name, "suggestion": str(path.with_name(near or "_"))}
    return Problem("file-missing", None, values, "did-you-mean" if near else None)


def _recipes_in(folder: Path) -> list[str]:
    return [name for name in sorted(names_in(folder)) if name.endswith((".yaml", ".yml"))]


def parse_recipe(content: bytes, name: str) -> Node:
    """The document of a recipe's bytes. Raises RecipeError."""
    if len(content) > MAX_BYTES:
        values = {"path": name, "limit": f"{MAX_BYTES // 1_000_000} MB"}
        raise RecipeError([Problem("file-too-large", None, values)])
    text = _decoded(content, name)
    lines = text.splitlines()
    composer = _Composer(name, lines)
    try:
        root = composer.document(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        composer.problems.append(syntax_problem(error, text, name))
        root = None
    except _Stop:
        root = None
    if root is not None and not root.is_mapping:
        if isinstance(root.value, str) and (wide := wide_mark(lines, name, 0)):
            raise RecipeError([wide])
        found = {"found": kind_of(root.plain())}
        composer.problems.append(Problem("yaml-root", root.place, found))
    if root is None or composer.problems:
        raise RecipeError(composer.problems)
    return root


def _decoded(content: bytes, name: str) -> str:
    try:
        return content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        start = content.rfind(b"\n", 0, error.start) + 1
        line = content.count(b"\n", 0, error.start) + 1
        column = len(content[start : error.start].decode("utf-8", "replace")) + 1
        values: dict[str, object] = {
            "byte": f"0x{content[error.start]:02x}",
            "offset": error.start,
        }
        hint = "save-utf8"
        if encoding := _probable_encoding(content):
            values["encoding"], hint = encoding, "save-utf8-from"
        place = Position(name, line, column)
        raise RecipeError([Problem("file-encoding", place, values, hint)]) from None


def _probable_encoding(content: bytes) -> str | None:
    if content[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return "UTF-16"
    try:
        content.decode("gb18030")
    except UnicodeDecodeError:
        return None
    return "GB18030"


class _Stop(Exception):
    """What follows cannot be read, or must not be."""


class _Composer:
    """Builds nodes from the parser's events, one pass, never deeper or larger than the limits."""

    def __init__(self, name: str, lines: Sequence[str]) -> None:
        self.name = name
        self._lines = lines
        self.problems: list[Problem] = []
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._values = 0

    def document(self, events: Iterator[Event]) -> Node | None:
        """The only document of a stream; None (and a problem) where there is none."""
        root: Node | None = None
        started = False
        for event in events:
            if isinstance(event, DocumentStartEvent):
                if started:
                    self._stop("yaml-documents", event)
                started = True
            elif isinstance(event, NodeEvent):
                root = self._node(event, events, 0)
            elif isinstance(event, StreamEndEvent) and not started:
                self.problems.append(Problem("yaml-empty", Position(self.name, 1, 1)))
        if root is not None and root.value is None:
            self.problems.append(Problem("yaml-empty", root.place))
            return None
        return root

    def _place(self, event: Event) -> Position:
        mark: Any = event.start_mark
        return Position(self.name, mark.line + 1, mark.column + 1)

    def _problem(
        self, slug: str, event: Event, hint: str | None = None, /, **values: object
    ) -> None:
        self.problems.append(Problem(slug, self._place(event), values, hint))

    def _stop(self, slug: str, event: Event, **values: object) -> None:
        self._problem(slug, event, **values)
        raise _Stop

    def _node(self, event: NodeEvent, events: Iterator[Event], depth: int) -> Node:
        if depth > MAX_DEPTH:
            self._stop("yaml-deep", event, limit=MAX_DEPTH)
        if isinstance(event, AliasEvent):
            return self._alias(event)
        self._count(event, 1)
        before = self._values
        tag = getattr(event, "tag", None)
        if tag not in (None, "!") and tag not in _STANDARD_TAGS:
            self._problem("yaml-tag", event, tag=_short_tag(str(tag)))
        if isinstance(event, MappingStartEvent):
            node = self._mapping(event, events, depth)
        elif isinstance(event, SequenceStartEvent):
            node = self._list(event, events, depth)
        else:
            node = Node(self._scalar(event), self._place(event))
        if event.anchor:
            self._anchors[event.anchor] = (node, self._values - before + 1)
        return node

    def _count(self, event: Event, values: int) -> None:
        self._values += values
        if self._values > MAX_VALUES:
            self._stop("yaml-aliases", event, limit=MAX_VALUES)

    def _alias(self, event: AliasEvent) -> Node:
        anchor = str(event.anchor)
        if anchor not in self._anchors:
            self._stop("yaml-alias", event, name=anchor)
        node, size = self._anchors[anchor]
        self._count(event, size)
        return Node(node.value, self._place(event), node.keys)

    def _list(self, start: SequenceStartEvent, events: Iterator[Event], depth: int) -> Node:
        items: list[Node] = []
        for event in events:
            if not isinstance(event, NodeEvent):
                break
            items.append(self._node(event, events, depth + 1))
        return Node(items, self._place(start))

    def _mapping(self, start: MappingStartEvent, events: Iterator[Event], depth: int) -> Node:
        items: dict[str, Node] = {}
        keys: dict[str, Position] = {}
        repeated: list[tuple[str, Any]] = []
        for event in events:
            if not isinstance(event, NodeEvent):
                break
            key = self._key(event, events, depth)
            held: Any = next(events)
            value = self._node(held, events, depth + 1)
            if key is None or self._is_no_key(key, event, held):
                continue
            if key in items:
                repeated.append((key, event))
                continue
            items[key], keys[key] = value, self._place(event)
        self._tell_repeated(repeated, keys, may_be_items=depth > 0 and not start.flow_style)
        # A block mapping's own mark is its first key's; a flow mapping's is its brace.
        return Node(items, self._place(start), keys)

    def _tell_repeated(
        self, repeated: list[tuple[str, Any]], keys: dict[str, Position], *, may_be_items: bool
    ) -> None:
        """The keys that stand in a mapping again: an item after the first, where the first key
        and others do."""
        first = next(iter(keys), None)
        for number, (key, event) in enumerate(repeated):
            begins = may_be_items and key == first and len(repeated) > number + 1
            hint = "dash-before" if begins else "remove-one"
            self._problem("repeated-key", event, hint, key=key, line=keys[key].line)
            if begins:
                return

    def _is_no_key(self, key: str, event: Any, value: Any) -> bool:
        """Whether it is a merge key, or a key and its value that no space parts, told as such."""
        if key == "<<" and event.implicit[0]:
            self._problem("yaml-merge", event, "instead-of-merge")
            return True
        if key.startswith(WIDE_SPACE) and event.implicit[0]:
            self.problems.append(wide_problem(WIDE_SPACE, self._place(event)))
            return True
        found = _SPACE_LEFT_OUT.fullmatch(key) if event.implicit[0] else None
        held = value.value if isinstance(value, ScalarEvent) else None
        if found is None or held is None or (held and found[3][:1] not in ("{", "[")):
            return False
        place = self._place(event)
        place = Position(place.path, place.line, place.column + len(found[1]))
        if found[2] == "：":
            self.problems.append(wide_problem("：", place))
        elif found[3]:
            written = f"{found[1]}: {found[3]}" + (f": {held}" if held else "")
            values = {"mark": ":", "suggestion": written}
            self.problems.append(Problem("yaml-space", place, values, "write-line"))
        return bool(found[3]) or found[2] == "："

    def _stop_at_template(self, event: MappingStartEvent) -> None:
        """Where `{{` begins a mapping that is a key: a template without quotes."""
        mark: Any = event.start_mark
        line, start = self._lines[mark.line], mark.column - 1
        if not event.flow_style or start < 0 or line[start : start + 2] != "{{":
            return
        end = line.find("}}", start)
        alone = _TEMPLATE_ALONE.match(line[:start]) or end < 0
        written = line[start:].split(" #")[0].rstrip() if alone else line[start : end + 2]
        place = Position(self.name, mark.line + 1, start + 1)
        variable = _VARIABLE_SO.match(written)
        values = {"suggestion": f'"${{{variable[1]}}}"' if variable else quoted(written)}
        self.problems.append(Problem("yaml-template", place, values, "write-line"))
        raise _Stop

    def _key(self, event: NodeEvent, events: Iterator[Event], depth: int) -> str | None:
        if isinstance(event, ScalarEvent):
            self._node(event, events, depth + 1)
            return str(event.value)
        if isinstance(event, MappingStartEvent):
            self._stop_at_template(event)
        node = self._node(event, events, depth + 1)
        if isinstance(node.value, str):
            return node.value
        self._problem("yaml-key", event, found=kind_of(node.plain()))
        return None

    def _scalar(self, event: NodeEvent) -> Any:
        assert isinstance(event, ScalarEvent)  # noqa: S101 - the parser has no other node event
        text = event.value
        if not text.isascii():
            try:
                text.encode()
            except UnicodeEncodeError:
                self._problem("yaml", event, error="found invalid Unicode character escape code")
                return ""
        if event.tag != "!" and (event.implicit[0] or event.tag in _RESOLVED_TAGS):
            return self._plain(event)
        return text

    def _plain(self, event: ScalarEvent) -> Any:
        try:
            return plain_scalar(event.value)
        except TooManyDigits:
            self._problem("yaml-number", event, "quote-text", value=event.value[:40])
            return 0


def _short_tag(tag: str) -> str:
    return tag.replace("tag:yaml.org,2002:", "!!", 1)[:80]


class TooManyDigits(ValueError):
    """A number that neither JSON nor a 64-bit integer holds."""


def plain_scalar(text: str) -> Scalar:
    """The value of an unquoted scalar. Raises TooManyDigits."""
    if text in _NULL:
        return None
    if text in _BOOLEANS:
        return _BOOLEANS[text]
    if text[0] in _FIRST_OF_NUMBER:
        if _WHOLE_NUMBER.fullmatch(text):
            return _whole(text)
        if _NUMBER.fullmatch(text):
            return _number(text)
    return text


def _whole(text: str) -> int:
    if len(text.lstrip("+-")) > MAX_DIGITS:
        raise TooManyDigits(text)
    return int(text, 0) if text[:2] in ("0x", "0o") else int(text)


def _number(text: str) -> float:
    value = float(text)
    if value in (float("inf"), float("-inf")):
        raise TooManyDigits(text)
    return value
