"""Rows for which an expression over their values is true.

Expressions are read as Python's, but only the parts below exist: no attributes, no calls except of
the functions listed, no power, no repetition of texts, so that no expression reaches out, and none
takes more time or memory than the values it looks at.
"""

from __future__ import annotations

import ast
import operator
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from functools import lru_cache
from typing import Any, ClassVar, NamedTuple

from sftrecipe.plugin import (
    KEEP,
    OF_TURNS,
    Context,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
    closest,
    error_text,
)
from sftrecipe_registry.shared.text.row_text import of_turns
from sftrecipe_registry.shared.text.scripts import count_words

texts = Texts(__package__)

LONGEST = 2000
"""Characters of an expression."""
SECONDS = 2.0
"""How long one may take for one row: it may look at a long text many times."""

Names = Mapping[str, Any]
Compute = Callable[[Names], Any]


class BadExpression(ValueError):
    """An expression that is not allowed, or not one at all; the message says why."""

    def __init__(self, message: str, hint: str | None = None) -> None:
        super().__init__(message)
        self.hint = hint


class SafeExpression(NamedTuple):
    """What was read: how to compute it, and what it looks at."""

    compute: Compute
    """Raises TypeError, ValueError or ArithmeticError on values that it does not fit."""
    names: frozenset[str]
    """Plain names."""
    members: Mapping[str, frozenset[str]]
    """Names looked up in each of the groups."""


def read_expression(text: str, groups: frozenset[str] = frozenset()) -> SafeExpression:
    """The expression of a text; `groups` are names with members: `score.rated`, `score["my-id"]`.

    Raises BadExpression.
    """
    if len(text) > LONGEST:
        raise BadExpression(texts("expression-too-long", size=len(text), most=LONGEST))
    try:
        tree = ast.parse(text.strip(), mode="eval")
        reader = _Reader(groups)
        compute = reader.read(tree.body)
    except SyntaxError as error:
        raise BadExpression(texts("syntax-error", expression=text, cause=error.msg)) from None
    except (RecursionError, MemoryError, ValueError) as error:
        if isinstance(error, BadExpression):
            raise
        raise BadExpression(texts("unreadable-expression", cause=str(error))) from None
    members = {group: frozenset(names) for group, names in reader.members.items()}

    def in_time(names: Names) -> Any:
        _clock.ends = time.monotonic() + SECONDS
        return compute(names)

    return SafeExpression(in_time, frozenset(reader.names), members)


_clock = threading.local()


def _called(function: Callable[..., Any], values: list[Any]) -> Any:
    if time.monotonic() > _clock.ends:
        raise ValueError(f"expression takes more than {SECONDS:g} seconds")
    return function(*values)


def _contains(text: Any, part: Any) -> bool:
    return part is not None and text is not None and part in text


def _size(value: Any) -> int:
    return 0 if value is None else len(value)


def _text(value: Any) -> str:
    return "" if value is None else str(value)


def _number(value: Any) -> float:
    """A column that was read as text, as a number."""
    return float(value)


FUNCTIONS: Mapping[str, tuple[Callable[..., Any], int]] = {
    "abs": (abs, 1),
    "contains": (_contains, 2),
    "ends_with": (lambda text, end: _text(text).endswith(_text(end)), 2),
    "len": (_size, 1),
    "lower": (lambda text: _text(text).lower(), 1),
    "number": (_number, 1),
    "round": (round, 1),
    "starts_with": (lambda text, start: _text(text).startswith(_text(start)), 2),
    "strip": (lambda text: _text(text).strip(), 1),
    "words": (lambda text: count_words(_text(text)), 1),
}
"""Function → what it computes, and how many arguments it takes."""
_ANY_NUMBER: Mapping[str, Callable[..., Any]] = {"max": max, "min": min}
_CONSTANTS: Mapping[str, bool | None] = {"true": True, "false": False, "null": None, "none": None}


def _arithmetic(compute: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    def on_numbers(left: Any, right: Any) -> Any:
        for value in (left, right):
            if not isinstance(value, int | float):
                raise TypeError(f"'{type(value).__name__}' is no number")
        return compute(left, right)

    return on_numbers


_BINARY = {
    ast.Add: _arithmetic(operator.add),
    ast.Sub: _arithmetic(operator.sub),
    ast.Mult: _arithmetic(lambda left, right: float(left) * float(right)),
    ast.Div: _arithmetic(operator.truediv),
    ast.FloorDiv: _arithmetic(operator.floordiv),
    ast.Mod: _arithmetic(operator.mod),
}
_UNARY: Mapping[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.Not: operator.not_,
    ast.USub: operator.neg,
    ast.UAdd: operator.pos,
}
_COMPARED = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.In: lambda part, whole: _contains(whole, part),
    ast.NotIn: lambda part, whole: not _contains(whole, part),
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
}


class _Reader:
    """Turns the tree of an expression into functions of the names' values."""

    def __init__(self, groups: frozenset[str]) -> None:
        self.names: set[str] = set()
        self.members: dict[str, set[str]] = {}
        self._groups = groups

    def read(self, node: ast.expr) -> Compute:
        """The function of one part. Raises BadExpression."""
        reader = _READERS.get(type(node))
        compute = reader(self, node) if reader else None
        if compute is None:
            raise BadExpression(
                texts("not-allowed", part=ast.unparse(node)), texts("allowed-parts")
            )
        return compute

    def constant(self, node: Any) -> Compute | None:
        """A number, a text, true, false or null."""
        value = node.value
        return (lambda names: value) if isinstance(value, str | int | float | None) else None

    def name(self, node: Any) -> Compute:
        """A column, by its plain name."""
        name = node.id
        if name in self._groups:
            raise BadExpression(texts("stands-alone", name=name), f"{name}.NAME")
        if name.lower() in _CONSTANTS:
            constant = _CONSTANTS[name.lower()]
            return lambda names: constant
        self.names.add(name)
        return lambda names: names.get(name)

    def attribute(self, node: Any) -> Compute | None:
        """A member of a group: there are no other attributes."""
        group = node.value
        if not isinstance(group, ast.Name) or group.id not in self._groups:
            return None
        return self._member(group.id, node.attr)

    def subscript(self, node: Any) -> Compute | None:
        """A member of a group or of a column that holds an object or a list."""
        key = node.slice.value if isinstance(node.slice, ast.Constant) else None
        if not isinstance(key, str | int):
            return None
        if isinstance(node.value, ast.Name) and node.value.id in self._groups:
            return self._member(node.value.id, str(key))
        return _item(self.read(node.value), key)

    def several(self, node: Any) -> Compute:
        """A list of values."""
        parts = [self.read(item) for item in node.elts]
        return lambda names: [part(names) for part in parts]

    def both(self, node: Any) -> Compute:
        """`and`, `or`: the rest is not looked at where the first decides."""
        parts = [self.read(value) for value in node.values]
        if isinstance(node.op, ast.And):
            return lambda names: all(part(names) for part in parts)
        return lambda names: any(part(names) for part in parts)

    def unary(self, node: Any) -> Compute | None:
        """`not`, and signs of numbers."""
        compute, inner = _UNARY.get(type(node.op)), self.read(node.operand)
        return (lambda names: compute(inner(names))) if compute else None

    def binary(self, node: Any) -> Compute | None:
        """Arithmetic."""
        compute = _BINARY.get(type(node.op))
        if compute is None:
            return None
        left, right = self.read(node.left), self.read(node.right)
        return lambda names: compute(left(names), right(names))

    def choice(self, node: Any) -> Compute:
        """`a if b else c`."""
        test, yes, no = map(self.read, (node.test, node.body, node.orelse))
        return lambda names: yes(names) if test(names) else no(names)

    def comparison(self, node: Any) -> Compute:
        """One comparison, or a chain of them."""
        parts = [self.read(part) for part in (node.left, *node.comparators)]
        signs = [_COMPARED[type(sign)] for sign in node.ops]

        def compare(names: Names) -> bool:
            left = parts[0](names)
            for sign, part in zip(signs, parts[1:], strict=True):
                right = part(names)
                if not sign(left, right):
                    return False
                left = right
            return True

        return compare

    def call(self, node: Any) -> Compute | None:
        """One of the functions."""
        if not isinstance(node.func, ast.Name) or node.keywords:
            return None
        name, parts = node.func.id, [self.read(argument) for argument in node.args]
        if name in _ANY_NUMBER:
            several = _ANY_NUMBER[name]
            return lambda names: several([part(names) for part in parts])
        if name not in FUNCTIONS:
            near = closest(name, _functions())
            known = texts("functions", names=", ".join(_functions()))
            hint = texts("did-you-mean", name=near) if near else known
            raise BadExpression(texts("function-unknown", name=name), hint)
        function, count = FUNCTIONS[name]
        if len(parts) != count:
            raise BadExpression(texts("wrong-count", name=name, count=count, given=len(parts)))
        return lambda names: _called(function, [part(names) for part in parts])

    def _member(self, group: str, name: str) -> Compute:
        self.members.setdefault(group, set()).add(name)
        return lambda names: names[group].get(name)


_READERS: Mapping[type[ast.expr], Callable[[_Reader, Any], Compute | None]] = {
    ast.Attribute: _Reader.attribute,
    ast.BinOp: _Reader.binary,
    ast.BoolOp: _Reader.both,
    ast.Call: _Reader.call,
    ast.Compare: _Reader.comparison,
    ast.Constant: _Reader.constant,
    ast.IfExp: _Reader.choice,
    ast.List: _Reader.several,
    ast.Name: _Reader.name,
    ast.Set: _Reader.several,
    ast.Subscript: _Reader.subscript,
    ast.Tuple: _Reader.several,
    ast.UnaryOp: _Reader.unary,
}


def _functions() -> list[str]:
    return sorted((*FUNCTIONS, *_ANY_NUMBER))


def _item(inner: Compute, key: str | int) -> Compute:
    """A member of a column that holds an object or a list; None where it is not there."""

    def item(names: Names) -> Any:
        value = inner(names)
        try:
            return value[key]
        except (KeyError, IndexError, TypeError):
            return None

    return item


def unknown_names(names: frozenset[str], known: frozenset[str]) -> Iterator[tuple[str, str | None]]:
    """Names that are not known, each with the one that was probably meant."""
    for name in sorted(names - known):
        yield name, closest(name, known)


_GROUPS = frozenset({"column", "score", "tag"})
_SHOWN = 200


class Expression(RowFilter):
    """Keep rows for which an expression over their columns, scores and tags is true.

    Names are columns; `score.rated` is the score that block `rated` gave, `tag.language` a tag;
    `column["a name"]`, `score["my-id"]` where a name is not a word. What a row does not have is
    `null`. There are comparisons, `and`, `or`, `not`, `in`, `a if b else c`, `+ - * / // %`, lists,
    and `abs`, `contains`, `ends_with`, `len`, `lower`, `max`, `min`, `number`, `round`,
    `starts_with`, `strip`, `words`; nothing else. Rejects `not_true`; `not_comparable` where a
    value does not fit, such as `null > 3`.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "not_true": ("keep",),
        "not_comparable": ("keep",),
    }
    example: ClassVar[str] = """\
{use: expression, with: {keep: 'score.rated >= 4 and (words(output) >= 5 or tag.kind == "label")'}}
"""

    keep: str
    """The expression: a row is kept if it is true, or anything but false, 0, empty and null."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """An expression that cannot be read; columns that the rows do not have."""
        try:
            read = _row_expression(self.keep)
        except BadExpression as error:
            yield OptionProblem(("keep",), error_text(error), error.hint)
            return
        if inputs is None:
            return
        columns = read.names | read.members.get("column", frozenset())
        if "messages" in inputs:
            columns -= OF_TURNS
        for name, near in unknown_names(columns, inputs):
            known = texts("columns", names=", ".join(sorted(inputs))) if inputs else None
            hint = texts("did-you-mean", name=near) if near else known
            yield OptionProblem(("keep",), texts("column-unknown", name=name), hint)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        columns, read = row.columns, _row_expression(self.keep)
        of_chat = {
            name: of_turns(columns, name) for name in read.names & OF_TURNS if "messages" in columns
        }
        names = {**of_chat, **columns, "column": columns, "score": row.scores, "tag": row.tags}
        try:
            is_true = bool(read.compute(names))
        except (TypeError, ValueError, ArithmeticError) as error:
            return Verdict(False, "not_comparable", detail=str(error)[:_SHOWN])
        return KEEP if is_true else Verdict(False, "not_true", detail=self.keep[:_SHOWN])


@lru_cache(maxsize=64)
def _row_expression(text: str) -> SafeExpression:
    return read_expression(text, _GROUPS)
