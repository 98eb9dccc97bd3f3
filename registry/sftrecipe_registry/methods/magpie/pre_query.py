"""Pre-query templates: a chat's text up to where a model writes what the user says.

Source: Magpie (arXiv 2406.08464), section 2.1.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

import orjson
import yaml

from sftrecipe.plugin import Texts
from sftrecipe_registry.shared.replies.chat_template import Turns, chat_renderer

texts = Texts(__package__)

_FAMILIES = "pre_query_templates.yaml"
_MARK = "what-the-user-says-0f3b"


class NoPreQuery(ValueError):
    """A template that gives no pre-query text; the message says why."""


class PreQuery(NamedTuple):
    """How a model's user turn begins, and what ends it."""

    text: Callable[[Turns], str]
    """The text to go on with after these turns (a system turn first, if any). Raises NoPreQuery."""
    stop: tuple[str, ...] = ()
    """Special tokens that end the turn, as texts."""
    stop_ids: tuple[int, ...] = ()
    """The same as token ids."""
    stop_words: tuple[str, ...] = ("assistant",)
    """What is left of the next turn's mark where special tokens are hidden."""


@cache
def families() -> Mapping[str, Mapping[str, Any]]:
    """The table of model families, by name."""
    text = (
        files("sftrecipe_registry.methods.magpie").joinpath(_FAMILIES).read_text(encoding="utf-8")
    )
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)
    return found


def family_of(name: str) -> str | None:
    """The family that has this name or this model; None: it is not in the table."""
    if name in families():
        return name
    return next((key for key, each in families().items() if name in each["models"]), None)


def by_family(name: str) -> PreQuery:
    """The pre-query template of a family, or of the family of a model.

    Raises NoPreQuery for one that is not in the table.
    """
    family = family_of(name)
    if family is None:
        raise NoPreQuery(texts("neither-family-nor-model", name=name))
    marks = families()[family]
    ends = (tuple(marks[key]) for key in ("stop", "stop_ids", "stop_words"))
    return PreQuery(lambda turns: _written(family, marks, turns), *ends)


def _written(family: str, marks: Mapping[str, Any], turns: Turns) -> str:
    system = marks.get("default_system", "")
    parts = []
    for turn in turns:
        role, said = turn["role"], str(turn["content"])
        if role == "system":
            system = said
        elif role == "user":
            parts.append(marks["user"] + said + marks["user_end"])
        elif role == "assistant" and not turn.get("tool_calls"):
            parts.append(marks["assistant"].replace("{}", said))
        else:
            if role == "assistant":
                raise NoPreQuery(texts("family-without-calls", family=family))
            raise NoPreQuery(texts("family-without-role", family=family, role=role))
    if system and "system" not in marks:
        raise NoPreQuery(texts("family-without-system", family=family))
    begin = marks.get("begin", "")
    if system:
        begin += marks["system"].replace("{}", system)
    return "".join((begin, *parts, marks["user"], marks.get("lead", "")))


def by_chat_template(content: str) -> PreQuery:
    """Derived from a chat template: a user's turn is rendered and cut before what the user says.

    `content`: that of a `tokenizer_config.json`, or of a `chat_template.jinja`. The stops are the
    special tokens among what the template writes. Raises NoPreQuery.
    """
    settings = _settings(content)
    template = _template(settings)
    named = {
        name: str(value.get("content", "")) if isinstance(value, dict) else value
        for name, value in settings.items()
        if name.endswith("_token") and isinstance(value, (str, dict))
    }
    try:
        render = chat_renderer(template, **named)
    except Exception as error:  # whatever a stranger's template raises
        raise NoPreQuery(texts("template-unreadable", cause=str(error))) from None

    def text(turns: Turns) -> str:
        rendered = _rendered(render, [*turns, {"role": "user", "content": _MARK}])
        before, mark, _ = rendered.partition(_MARK)
        if not mark:
            raise NoPreQuery(texts("template-without-user"))
        return before

    shown = _rendered(
        render, [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}]
    )
    stop, ids = _specials(settings, shown, named.get("eos_token", ""))
    text(())
    return PreQuery(text, stop, ids)


def _settings(content: str) -> dict[str, Any]:
    try:
        found = orjson.loads(content)
    except orjson.JSONDecodeError:
        return {"chat_template": content}
    if not isinstance(found, dict):
        raise NoPreQuery(texts("no-template-file"))
    return found


def _template(settings: Mapping[str, Any]) -> str:
    found = settings.get("chat_template")
    if isinstance(found, list):  # several, by name
        named = {each.get("name"): each.get("template") for each in found if isinstance(each, dict)}
        found = named.get("default")
    if not isinstance(found, str) or not found.strip():
        raise NoPreQuery(texts("file-without-template"))
    return found


def _rendered(render: Callable[[Turns], str], turns: Turns) -> str:
    try:
        return render(turns)
    except Exception as error:  # whatever a stranger's template raises
        raise NoPreQuery(texts("template-refuses-turns", cause=str(error))) from None


def _specials(
    settings: Mapping[str, Any], shown: str, eos: str
) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Special tokens of the vocabulary that stand in a rendered chat, or end a text."""
    added = settings.get("added_tokens_decoder")
    tokens = {
        str(token.get("content")): int(number)
        for number, token in (added if isinstance(added, dict) else {}).items()
        if isinstance(token, dict) and token.get("special") and str(number).isdecimal()
    }
    found = [token for token in tokens if token and (token in shown or token == eos)]
    if eos and eos not in found:
        found.append(eos)
    return tuple(found), tuple(tokens[token] for token in found if token in tokens)


def as_given(text: str, stop: Sequence[str] = ()) -> PreQuery:
    """A template given by hand; it takes no turns before it."""

    def written(turns: Turns) -> str:
        if turns:
            raise NoPreQuery(texts("given-text-takes-no-turns"))
        return text

    return PreQuery(written, tuple(stop))
