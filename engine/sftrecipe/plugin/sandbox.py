"""Jinja2's sandbox, which neither reaches out nor takes the memory or the time of a run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, cast

import orjson
from jinja2 import StrictUndefined, nodes
from jinja2.exceptions import SecurityError, UndefinedError
from jinja2.sandbox import ImmutableSandboxedEnvironment

MAX_TEXT = 4_000_000
"""Characters that one operation of a template may make."""
MAX_STEPS = 1_000_000
"""Rounds of loops and calls that one template may take."""
MAX_RANGE = 1000
_MAX_BITS = 4096

_PADDING = frozenset(
    {"center", "ljust", "rjust", "zfill", "format", "format_map", "expandtabs", "translate"}
)
"""Methods of texts that make a gigabyte out of a number."""
_NO_FILTERS = (
    *("center", "indent", "format", "wordwrap", "filesizeformat", "batch", "slice", "sum"),
    *("xmlattr", "urlize", "tojson", "pprint"),
    "random",  # another prompt at every run
)
_COUNTED = "_counted"
_JOINED = "_joined"

_steps: ContextVar[list[int]] = ContextVar("_steps")


class Sandbox(ImmutableSandboxedEnvironment):
    """Jinja2's sandbox, with limits on what a template makes and how long it takes."""

    intercepted_binops = frozenset({"*", "**", "%", "+"})

    def is_safe_attribute(self, obj: Any, attr: str, value: Any) -> bool:
        """Not the methods that pad a text."""
        padding = isinstance(obj, str) and attr in _PADDING
        return not padding and super().is_safe_attribute(obj, attr, value)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        """An operation whose result is not too large."""
        if operator == "%" and isinstance(left, str):
            raise SecurityError("'%' does not format text here")
        if _too_large(operator, left, right):
            raise SecurityError(f"'{operator}' makes too much")
        return super().call_binop(context, operator, left, right)

    def call(self, context: Any, function: Any, *arguments: Any, **named: Any) -> Any:
        """A call, counted; of a text's methods that may make much, our own."""
        _step()
        text, name = getattr(function, "__self__", None), getattr(function, "__name__", "")
        if isinstance(text, str) and name == "join":
            return _join(arguments[0], text)
        if isinstance(text, str) and name == "replace":
            return _replace(text, *arguments)
        return super().call(context, function, *arguments, **named)

    def _generate(self, source: nodes.Template, *arguments: Any, **named: Any) -> str:
        for loop in list(source.find_all(nodes.For)):
            loop.iter = _filtered(loop.iter, _COUNTED)
        for joined in list(source.find_all(nodes.Concat)):
            items = nodes.List(joined.nodes, lineno=joined.lineno)
            joined.nodes = [_filtered(items, _JOINED)]
        source.set_environment(self)
        return super()._generate(source, *arguments, **named)


def rendered(template: Any, variables: Mapping[str, Any]) -> str:
    """A template of the sandbox, filled, within the limits."""
    mark = _steps.set([0])
    try:
        text: str = template.render(variables)
        return text
    finally:
        _steps.reset(mark)


def sandbox() -> Sandbox:
    """The one environment of prompts."""
    made = Sandbox(
        undefined=StrictUndefined, keep_trailing_newline=False, autoescape=False, finalize=_printed
    )
    for name in _NO_FILTERS:
        del made.filters[name]
    for name in ("lipsum", "cycler", "joiner"):
        del made.globals[name]
    made.globals["range"] = _short_range
    made.filters |= {
        "json": _json,
        "tojson": _json,
        "join": _join,
        "replace": _replace,
        "string": lambda value: str(_small(value)),
        _COUNTED: _counted,
        _JOINED: lambda items: _concat(str(_small(item)) for item in items),
    }
    made.concat = _concat  # type: ignore[method-assign]
    return made


def _filtered(node: nodes.Node, name: str) -> nodes.Filter:
    return nodes.Filter(cast("nodes.Expr", node), name, [], [], None, None, lineno=node.lineno)


def _step() -> None:
    steps = _steps.get(None)
    if steps is None:  # at compile time, where a constant is folded
        return
    steps[0] += 1
    if steps[0] > MAX_STEPS:
        raise SecurityError(f"template takes more than {MAX_STEPS} steps")


def _counted(items: Iterable[Any]) -> Iterator[Any]:
    for item in items:
        _step()
        yield item


def _too_large(operator: str, left: Any, right: Any) -> bool:
    if operator == "**":
        return bool(abs(left) > 1000 or abs(right) > 100)
    if operator == "+":
        return _length(left) + _length(right) > MAX_TEXT
    if operator == "*" and isinstance(left, int) and isinstance(right, int):
        return left.bit_length() + right.bit_length() > _MAX_BITS
    sized, times = (right, left) if isinstance(left, int) else (left, right)
    return operator == "*" and isinstance(times, int) and _length(sized) * times > MAX_TEXT


def _length(value: Any) -> int:
    return len(value) if isinstance(value, str | list | tuple) else 0


def _small(value: Any) -> Any:
    """The value, if it is not too large to be written as a text."""
    if isinstance(value, str | int | float):
        return value
    left, waiting = MAX_TEXT, [value]
    while waiting:
        one = waiting.pop()
        left -= len(one) if isinstance(one, str) else 1
        if left < 0:
            raise SecurityError(f"value has more than {MAX_TEXT} characters")
        if isinstance(one, Mapping):
            waiting.extend((*one.keys(), *one.values()))
        elif isinstance(one, list | tuple):
            waiting.extend(one)
    return value


def _printed(value: Any) -> Any:
    """What a template may write: a value that a row does not have is no text."""
    if value is None:
        raise UndefinedError("a value is null, which has no text: write {{ … or '' }}")
    return _small(value)


def _concat(parts: Iterable[str]) -> str:
    kept: list[str] = []
    size = 0
    for part in parts:
        kept.append(part)
        size += len(part)
        if size > MAX_TEXT:
            raise SecurityError(f"template makes more than {MAX_TEXT} characters")
    return "".join(kept)


def _join(items: Iterable[Any], between: str = "", attribute: str | None = None) -> str:
    """The items as one text, or one column of each."""
    if attribute is not None:
        items = (item[attribute] for item in items)
    parts: list[str] = []
    for item in items:
        parts.extend((between, str(_small(item))) if parts else (str(_small(item)),))
    return _concat(parts)


def _replace(text: Any, old: str, new: str, count: int | None = -1) -> str:
    """The text with a part replaced."""
    text, most = str(_small(text)), -1 if count is None else count
    if len(text) + text.count(old) * len(new) > MAX_TEXT:
        raise SecurityError("'replace' makes too much")
    return str(text).replace(old, new, most)


def _json(value: Any) -> str:
    return orjson.dumps(_small(value)).decode()


def _short_range(*arguments: int) -> range:
    made = range(*arguments)
    if len(made) > MAX_RANGE:
        raise ValueError(f"range has {len(made)} numbers, expected at most {MAX_RANGE}")
    return made
