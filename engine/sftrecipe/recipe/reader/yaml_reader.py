"""A recipe file into nodes: YAML without tags, repeated keys, or ways to exhaust the machine."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
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

from sftrecipe.errors import Position, Problem, RecipeError
from sftrecipe.messages import Word
from sftrecipe.plugin.regular_files import UnusualFile, open_regular
from sftrecipe.recipe.reader.node import Node, kind_of

MAX_BYTES = 2_000_000
MAX_DEPTH = 64
MAX_VALUES = 100_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_RESOLVED_TAGS = frozenset(f"tag:yaml.org,2002:{name}" for name in ("int", "float", "bool", "null"))
_STANDARD_TAGS = _RESOLVED_TAGS | {f"tag:yaml.org,2002:{name}" for name in ("str", "seq", "map")}

_WIDE_COLON = re.compile(r"(?:^|[\s{,])[A-Za-z_][\w-]*(：)")
_WIDE_MARKS = re.compile("[，｛｝［］：＂＇]")
_QUOTED = re.compile(r"\"(?:[^\"\\]|\\.)*\"|'[^']*'|#.*")

Scalar = str | int | float | bool | None
MAX_DIGITS = 18
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOLEANS = {
    "true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False
}  # fmt: skip
_WHOLE_NUMBER = re.compile(r"[-+]?[0-9]+|0o[0-7]+|0x[0-9a-fA-F]+")
_NUMBER = re.compile(r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?")
_FIRST_OF_NUMBER = frozenset("-+.0123456789")


def read_recipe_file(path: Path, shown: str | None = None) -> Node:
    """The document of a recipe file.

    `shown` is the path in messages. Raises RecipeError with all problems up to where the YAML
    breaks off.
    """
    name = shown or str(path)
    try:
        with open_regular(path) as file:
            content = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        raise RecipeError([Problem("file-missing", None, {"path": name})]) from None
    except UnusualFile as error:
        values = {"path": name, "kind": Word(f"a-{error.kind}")}
        raise RecipeError([Problem("unusual-file", None, values)]) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        values = {"path": name, "error": reason}
        raise RecipeError([Problem("file-unreadable", None, values)]) from None
    return parse_recipe(content, name)


def parse_recipe(content: bytes, name: str) -> Node:
    """The document of a recipe's bytes. Raises RecipeError."""
    if len(content) > MAX_BYTES:
        values = {"path": name, "limit": f"{MAX_BYTES // 1_000_000} MB"}
        raise RecipeError([Problem("file-too-large", None, values)])
    text = _decoded(content, name)
    composer = _Composer(name)
    try:
        root = composer.document(yaml.parse(text, Loader=_LOADER))
    except yaml.YAMLError as error:
        composer.problems.append(_syntax_problem(error, text, name))
        root = None
    except _Stop:
        root = None
    if root is not None and not root.is_mapping:
        if isinstance(root.value, str) and (wide := _wide_mark(text.splitlines(), name, 0)):
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


def _wide_mark(lines: list[str], name: str, line: int) -> Problem | None:
    """A full-width mark of punctuation where YAML takes a plain one: in a line that breaks off, or
    in the one before, which the parser reads on from."""
    for number in (line, line - 1, line - 2):
        if not 0 <= number < len(lines):
            continue
        bare = _QUOTED.sub(lambda found: "x" * len(found[0]), lines[number])
        found = _WIDE_COLON.search(bare)
        column = found.start(1) if found else -1
        if found is None and number == line and (mark := _WIDE_MARKS.search(bare)):
            column = mark.start()
        if column >= 0:
            wide = bare[column]
            values = {"character": wide, "plain": unicodedata.normalize("NFKC", wide)}
            place = Position(name, number + 1, column + 1)
            return Problem("yaml-wide", place, values, "write-plain")
    return None


def _syntax_problem(error: yaml.YAMLError, text: str, name: str) -> Problem:
    mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
    reason = getattr(error, "problem", None) or getattr(error, "reason", None) or "cannot be read"
    lines = text.splitlines() or [""]
    if mark is None:  # a character that YAML does not allow
        offset = int(getattr(error, "position", 0) or 0)
        before = text[:offset]
        line, column = before.count("\n"), len(before) - before.rfind("\n") - 1
    else:
        line, column = mark.line, mark.column
    source = lines[line] if line < len(lines) else ""
    indent = source[: len(source) - len(source.lstrip())]
    if "\t" in indent or source[column : column + 1] == "\t":
        column = indent.find("\t") if "\t" in indent else column
        return Problem("yaml-tab", Position(name, line + 1, column + 1), {}, "use-spaces")
    if wide := _wide_mark(lines, name, line):
        return wide
    if column and source[column - 1 : column + 1] == "${":
        return Problem("yaml-variable", Position(name, line + 1, column), {}, "quote-variable")
    if line >= len(lines):
        line, column = len(lines) - 1, len(lines[-1])
    return Problem("yaml", Position(name, line + 1, column + 1), {"error": reason})


class _Stop(Exception):
    """What follows cannot be read, or must not be."""


class _Composer:
    """Builds nodes from the parser's events, one pass, never deeper or larger than the limits."""

    def __init__(self, name: str) -> None:
        self.name = name
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
        for event in events:
            if not isinstance(event, NodeEvent):
                break
            key = self._key(event, events, depth)
            value = self._node(next(events), events, depth + 1)  # type: ignore[arg-type]
            if key is None:
                continue
            if key in items:
                self._problem("repeated-key", event, "remove-one", key=key, line=keys[key].line)
                continue
            items[key], keys[key] = value, self._place(event)
        # A block mapping's own mark is its first key's; a flow mapping's is its brace.
        return Node(items, self._place(start), keys)

    def _key(self, event: NodeEvent, events: Iterator[Event], depth: int) -> str | None:
        if isinstance(event, ScalarEvent):
            self._node(event, events, depth + 1)
            return str(event.value)
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
