"""Jinja2's sandbox, which neither reaches out nor takes the memory or the time of a run.

What a template may use is listed: filters, methods, what is called and what is printed. Everything
that it makes is counted, and nothing is computed before it is filled.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextvars import ContextVar
from functools import wraps
from typing import Any, cast

import orjson
from jinja2 import StrictUndefined, TemplateSyntaxError, Undefined, nodes, pass_context
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.lexer import Token, TokenStream
from jinja2.runtime import BlockReference, LoopContext, Macro
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.utils import Namespace, missing

from sftrecipe.plugin.prompts.sandbox_filters import BOUNDED, UNCHANGED
from sftrecipe.record import LACKED_PARTS, ROLES

MAX_TEXT = 4_000_000
"""Characters that one operation of a template may make."""
MAX_MADE = 50_000_000
"""Characters that all operations of a template may look at and make."""
MAX_STEPS = 500_000
"""Rounds of loops, calls, filters and operations that one template may take."""
MAX_SECONDS = 2.0
"""How long one template may take."""
MAX_TOKENS = 20_000
"""Words and signs of a template's tags: with more it takes seconds to read it."""
MAX_RANGE = 1000
_MAX_BITS = 4096
_ITEM = 20
"""Characters that an item of a list counts as."""

_OF_TEXTS = """
capitalize casefold count endswith find index isalnum isalpha isascii isdecimal isdigit isidentifier
islower isnumeric isprintable isspace istitle isupper join lower lstrip partition removeprefix
removesuffix replace rfind rindex rpartition rsplit rstrip split splitlines startswith strip
swapcase title upper
"""
_METHODS: Mapping[type, frozenset[str]] = {
    str: frozenset(_OF_TEXTS.split()),
    list: frozenset({"count", "index"}),
    tuple: frozenset({"count", "index"}),
    dict: frozenset({"get", "items", "keys", "values"}),
    LoopContext: frozenset({"changed", "cycle"}),
}
"""Methods that a template may call; of others, none."""
METHODS = frozenset().union(*_METHODS.values())
"""The names of all of them."""
_CALLED = (Macro, LoopContext, BlockReference)
_PRINTED = (str, int, float, type(None), Undefined)
_STEP = "_step"
_COUNTED = "_counted"
_JOINED = "_joined"


class _Work:
    """What the filling of one template has taken so far."""

    __slots__ = ("ends", "made", "steps")

    def __init__(self) -> None:
        self.steps = 0
        self.made = 0
        self.ends = time.monotonic() + MAX_SECONDS


_work: ContextVar[_Work | None] = ContextVar("_work", default=None)


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, with limits on what a template makes and how long it takes."""

    intercepted_binops = frozenset({"*", "**", "%", "+", "-", "/", "//"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Plain values, and the methods that are listed."""
        if attr.startswith("_"):
            return False
        if not callable(value):
            return super().is_safe_attribute(obj, attr, value)
        if isinstance(value, (Macro, BlockReference)):
            return True
        return any(isinstance(obj, kind) and attr in names for kind, names in _METHODS.items())

    def is_safe_callable(self, obj: Any) -> bool:
        """The methods that are listed, macros, and what the environment brings."""
        owner, name = getattr(obj, "__self__", None), getattr(obj, "__name__", "")
        return (
            isinstance(obj, _CALLED)
            or any(obj is each for each in self.globals.values())
            or any(isinstance(owner, kind) and name in known for kind, known in _METHODS.items())
        )

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """An operation whose result is not too large."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("'%' does not format text here")
        if _too_large(operator, left, right):
            raise SecurityError(f"'{operator}' makes too much")
        return sized(super().call_binop(context, operator, left, right))

    def call(self, context: Any, function: Any, *arguments: Any, **named: Any) -> Any:
        """A call, counted; of a text's methods that may make much, our own."""
        if isinstance(function, Undefined):
            return function()  # says what is missing, or forbidden
        if not self.is_safe_callable(function):
            raise SecurityError(f"'{getattr(function, '__name__', 'a value')}' cannot be called")
        for each in (*arguments, *named.values()):
            sized(each)
        text, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(text, str) and name == "join":
            return _join(arguments[0], text)
        if isinstance(text, str) and name == "replace":
            return _replace(text, *arguments)
        return sized(super().call(context, function, *arguments, **named))

    def _tokenize(self, *arguments: Any, **named: Any) -> TokenStream:
        stream = super()._tokenize(*arguments, **named)
        return TokenStream(_few(stream), stream.name, stream.filename)

    def _generate(self, source: nodes.Template, *arguments: Any, **named: Any) -> str:
        _count_in(source)
        source.set_environment(self)
        return super()._generate(source, *arguments, **named)


class Missing(StrictUndefined):
    """What a prompt names and its row has not: an error, but of a thought, which a model need not
    have had, and of what a turn may lack; nothing stands in its place."""

    def __new__(
        cls, hint: Any = None, obj: Any = missing, name: Any = None, exc: Any = UndefinedError
    ) -> Any:
        """A plain one for a thought, of a row that is shown as an example too, or a part of a
        turn."""
        is_thought = name == "reasoning" and (obj is missing or isinstance(obj, Mapping))
        may_lack = is_thought or _is_turns_part(obj, name)
        return Undefined(hint, obj, name, exc) if may_lack else super().__new__(cls)


def _is_turns_part(obj: Any, name: str | None) -> bool:
    return name in LACKED_PARTS and isinstance(obj, Mapping) and obj.get("role") in ROLES


def render_template(template: Any, variables: Mapping[str, Any]) -> str:
    """A template of the sandbox, filled, within the limits."""
    mark = _work.set(_Work())
    try:
        text: str = template.render(variables)
        return text
    finally:
        _work.reset(mark)


def make_sandbox(
    undefined: type[Undefined] = StrictUndefined, *, trim: bool = False, **more: Any
) -> Sandbox:
    """The environment of prompts, and of other templates; `more` can be called or named in them.

    Nothing is computed when a template is read: neither by the optimizer, which is off, nor for
    what is printed, which is looked at in the template's context.
    """
    made = Sandbox(
        undefined=undefined, keep_trailing_newline=False, autoescape=False, optimized=False,
        finalize=pass_context(lambda context, value: printable(_present(value))),
        trim_blocks=trim, lstrip_blocks=trim,
    )  # fmt: skip
    known = {name: made.filters[name] for name in UNCHANGED}
    made.filters = {name: _counting(function) for name, function in {**known, **BOUNDED}.items()}
    made.filters |= {"json": _json, "tojson": _json, "join": _join, "replace": _replace}
    made.filters |= {"string": lambda value: str(printable(value))}
    made.filters |= {_STEP: sized, _COUNTED: _counted, _JOINED: _joined_texts}
    made.globals = {"range": _short_range, "dict": dict, "namespace": Namespace, **more}
    made.concat = _concat  # type: ignore[method-assign]
    return made


def sized(value: Any) -> Any:
    """The value, counted as one step, if it is not too large for one."""
    if isinstance(value, str):
        _step(len(value))
    elif isinstance(value, (list, tuple, Mapping)):
        _step(_extent(value))
    else:
        _step(1)
    return value


def printable(value: Any) -> Any:
    """The value, if a prompt may hold it: texts, numbers, and lists and objects of them."""
    if isinstance(value, str):
        _step(len(value))
    elif isinstance(value, _PRINTED):
        _step(1)
    else:
        _step(_extent(value, only_data=True))
    return value


def _extent(value: Any, *, only_data: bool = False) -> int:
    """Characters and items of a value. Raises SecurityError where they are too many."""
    size, waiting = 0, [value]
    while waiting:
        one = waiting.pop()
        size += _ITEM + len(one) if isinstance(one, str) else _ITEM
        if size > MAX_TEXT:
            raise SecurityError(f"value has more than {MAX_TEXT} characters")
        if isinstance(one, Mapping):
            waiting.extend((*one.keys(), *one.values()))
        elif isinstance(one, (list, tuple)):
            waiting.extend(one)
        elif only_data and not isinstance(one, _PRINTED):
            raise SecurityError(_no_text(one))
    return size


def _no_text(value: Any) -> str:
    name = getattr(value, "__name__", "")
    if callable(value) and name:
        return f"'{name}' is a method and not called: it cannot be written, write '{name}(…)'"
    return f"a value of type '{type(value).__name__}' cannot be written"


def _step(size: int) -> None:
    work = _work.get()
    if work is None:  # where a template is read
        return
    work.steps += 1
    work.made += size
    if work.steps > MAX_STEPS:
        raise SecurityError(f"template takes more than {MAX_STEPS} steps")
    if work.made > MAX_MADE:
        raise SecurityError(f"template works on more than {MAX_MADE} characters")
    if time.monotonic() > work.ends:
        raise SecurityError(f"template takes more than {MAX_SECONDS:g} seconds")


def _count_in(source: nodes.Template) -> None:
    """Have everything counted that a template does over and over, or to large values."""
    for loop in list(source.find_all(nodes.For)):
        loop.iter = _filtered(loop.iter, _COUNTED)
        if loop.recursive:  # what it is called with comes past the filter
            step = _filtered(nodes.Const(None), _STEP)
            loop.body.insert(0, nodes.ExprStmt(step, lineno=loop.lineno))
    for joined in list(source.find_all(nodes.Concat)):
        items = nodes.List(joined.nodes, lineno=joined.lineno)
        joined.nodes = [_filtered(items, _JOINED)]
    for compared in list(source.find_all(nodes.Compare)):
        compared.expr = _filtered(compared.expr, _STEP)
    for part in list(source.find_all(nodes.Getitem)):
        if isinstance(part.arg, nodes.Slice):
            part.node = _filtered(part.node, _STEP)
    for parent in [source, *source.find_all(nodes.Node)]:
        _count_literals(parent)


def _count_literals(parent: nodes.Node) -> None:
    """A list that is written out may hold one value twice, and so grow from step to step."""
    if isinstance(parent, nodes.Filter) and parent.name in (_STEP, _JOINED):
        return
    for field, value in parent.iter_fields():
        if isinstance(value, list):
            value[:] = [_counted_literal(each) for each in value]
        elif isinstance(value, nodes.Node):
            setattr(parent, field, _counted_literal(value))


def _counted_literal(value: Any) -> Any:
    literal = isinstance(value, (nodes.List, nodes.Tuple, nodes.Dict))
    if not literal or getattr(value, "ctx", "load") != "load":
        return value
    return _filtered(value, _STEP)


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)


def _few(stream: Iterable[Token]) -> Iterator[Token]:
    for number, token in enumerate(stream):
        if number > MAX_TOKENS:
            told = f"template has more than {MAX_TOKENS} words and signs in its tags"
            raise TemplateSyntaxError(told, token.lineno)
        yield token


def _counting(function: Callable[..., Any]) -> Callable[..., Any]:
    """A filter of plain data; all that it takes and gives is counted."""
    first = 1 if hasattr(function, "jinja_pass_arg") else 0

    @wraps(function)
    def counting(*arguments: Any, **named: Any) -> Any:
        for each in (*arguments[first:], *named.values()):
            if callable(each) and not isinstance(each, Undefined):
                raise SecurityError(_no_text(each))
            sized(each)
        made = function(*arguments, **named)
        return _counted(made) if isinstance(made, Iterator) else sized(made)

    return counting


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _step(1)
        yield item


def _too_large(operator: str, left: Any, right: Any) -> bool:
    if operator == "**":
        return bool(abs(left) > 1000 or abs(right) > 100)
    if operator == "+":
        return _length(left) + _length(right) > MAX_TEXT
    if operator == "*" and isinstance(left, int) and isinstance(right, int):
        return left.bit_length() + right.bit_length() > _MAX_BITS
    sized_one, times = (right, left) if isinstance(left, int) else (left, right)
    return operator == "*" and isinstance(times, int) and _length(sized_one) * times > MAX_TEXT


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str) else _ITEM * len(value) if _many(value) else 0


def _many(value: Any) -> bool:
    return isinstance(value, (list, tuple))


def _present(value: Any) -> Any:
    """What a template may write: a value that a row does not have is no text."""
    if value is None:
        raise UndefinedError("a value is null, which has no text: write {{ … or '' }}")
    return value


def _concat(parts: Iterable[str]) -> str:
    kept: list[str] = []
    size = 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size > MAX_TEXT:
            raise SecurityError(f"template makes more than {MAX_TEXT} characters")
    _step(size)
    return "".join(kept)


def _joined_texts(items: Iterable[Any]) -> str:
    return _concat(str(printable(item)) for item in items)


def _join(items: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    """The items as one text, or one column of each."""
    if attribute is not None:
        items = (item[attribute] for item in items)
    parts: list[str] = []
    for item in items:
        parts.extend((between, str(printable(item))) if parts else (str(printable(item)),))
    return _concat(parts)


def _replace(text: Any, old: str, new: str, count: int | None = -1) -> str:
    """The text with a part replaced."""
    text, most = str(printable(text)), -1 if count is None else count
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise SecurityError("'replace' makes too much")
    _step(len(text))
    return str(text).replace(old, new, most)


def _json(value: Any, indent: int | None = None) -> str:
    option = orjson.OPT_INDENT_2 if indent else None
    return orjson.dumps(printable(value), option=option).decode()


def _short_range(*arguments: int) -> range:
    made = range(*arguments)
    if len(made) > MAX_RANGE:
        raise ValueError(f"range has {len(made)} numbers, expected at most {MAX_RANGE}")
    return made
