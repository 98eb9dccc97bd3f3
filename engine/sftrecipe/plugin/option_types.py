"""What options are: their base class, types that mean more than their value, sampling.

Use the types as annotations of a plugin's fields; the engine checks them at `validate`, resolves
them for `ctx`, and makes the content of a file part of the step's key.
"""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from textwrap import dedent
from typing import Annotated, Any, Literal, TypeVar

from annotated_types import Ge, Gt, Le
from pydantic import (
    BaseModel,
    ConfigDict,
    GetJsonSchemaHandler,
    SerializerFunctionWrapHandler,
    model_serializer,
)
from pydantic.fields import FieldInfo
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema


class Described(BaseModel):
    """Options that are frozen, refuse unknown keys and are documented by attribute docstrings.

    Pydantic's own `use_attribute_docstrings` parses the source of every class at import, which
    costs `validate` a tenth of its time; here it is parsed when somebody reads the schema.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False, defer_build=True)

    @classmethod
    def __get_pydantic_json_schema__(
        cls, core_schema: CoreSchema, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        schema = handler(core_schema)
        properties = handler.resolve_ref_schema(schema).get("properties", {})
        for field, text in field_docs(cls).items():
            alias = cls.model_fields[field].alias or field
            if alias in properties:
                properties[alias].setdefault("description", text)
        return schema


@cache
def field_docs(options: type[BaseModel]) -> Mapping[str, str]:
    """The docstring of every field that has one, inherited fields included."""
    texts: dict[str, str] = {}
    for owner in reversed(options.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            texts.update(_own_docs(owner))
    return {name: texts[name] for name in options.model_fields if name in texts}


@cache
def _own_docs(owner: type[Any]) -> Mapping[str, str]:
    try:
        tree = ast.parse(dedent(inspect.getsource(owner)))
    except (OSError, TypeError, SyntaxError):  # made at run time: no source to read
        return {}
    body = tree.body[0].body if isinstance(tree.body[0], ast.ClassDef) else []
    found = {}
    for field, after in pairwise(body):
        if (
            isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(after, ast.Expr)
            and isinstance(after.value, ast.Constant)
            and isinstance(after.value.value, str)
        ):
            found[field.target.id] = inspect.cleandoc(after.value.value)
    return found


@dataclass(frozen=True)
class FileMarker:
    """The option is the path of a file, relative to the recipe, that must exist."""

    folder: bool = False
    """A folder is accepted too."""


ANY_COLUMN = "any column"
"""In `PromptMarker.shows`: a column of the input row, whichever."""

ROW_ID_COLUMNS = ("id", "row_id", "sftrecipe_id")
"""Where an exporter writes a row's id: the first of them that no row has of its own."""


@dataclass(frozen=True)
class PromptMarker:
    """The option is a Jinja2 prompt: a file, the text itself, or one that the plugin brings.

    `builtin:NAME` is the file `prompts/NAME.<language>.j2` beside the plugin's module, in the
    recipe's language, or English.
    """

    file: bool = True
    variables: frozenset[str] = frozenset()
    """What the plugin passes beside the row's columns."""
    columns: bool = True
    """Whether the input row's columns are variables too."""
    shows: tuple[frozenset[str], ...] = ()
    """Of each set the prompt must use one, else it asks every row the same; `ANY_COLUMN` stands for
    any of the row's columns."""
    beside: str | None = None
    """Option with a prompt of the same call, which may use them in its place."""


@dataclass(frozen=True)
class LaterMarker:
    """The option came later than its plugin: at its default it is in no step's key, so that steps
    which were finished without it stay finished."""


@dataclass(frozen=True)
class ProviderMarker:
    """The option names a provider of the recipe, with what it must be able to do."""

    needs: frozenset[str] = frozenset()


@dataclass(frozen=True)
class StreamMarker:
    """The option names a stream or source that stands before the block."""


@dataclass(frozen=True)
class ColumnMarker:
    """The option names a column of the input rows."""

    in_turns: bool = False
    """Whether the generator finds in chat turns what they have of a plain row (`OF_TURNS`), as
    filters do."""


@dataclass(frozen=True)
class ModelMarker:
    """The option names a model; `trained`, or `trained:ID` of several, is what the recipe trains.

    The engine puts the model's folder in its place before the block is asked.
    """


@dataclass(frozen=True)
class RegexMarker:
    """The option is a regular expression of Python's `re`; one that can explode is refused."""


InputFile = Annotated[str, FileMarker()]
InputPath = Annotated[str, FileMarker(folder=True)]
ProviderName = Annotated[str, ProviderMarker()]
StreamName = Annotated[str, StreamMarker()]
ColumnName = Annotated[str, ColumnMarker()]
SaidColumn = Annotated[str, ColumnMarker(in_turns=True)]
Pattern = Annotated[str, RegexMarker()]
ModelName = Annotated[str, ModelMarker()]

Marker = (
    FileMarker
    | PromptMarker
    | ProviderMarker
    | StreamMarker
    | ColumnMarker
    | RegexMarker
    | ModelMarker
)

OptionPath = tuple[str | int, ...]
"""Option, and keys or indices inside its value."""
MarkerKind = TypeVar("MarkerKind", bound=Marker)

_TRAINED = re.compile(r"trained(?::(.+))?")


def trained_block(model: str) -> str | None:
    """The train block whose model is meant, `""` the last one; None for any other model."""
    match = _TRAINED.fullmatch(model)
    return None if match is None else match[1] or ""


def values_of(
    options: BaseModel, kind: type[MarkerKind]
) -> Iterator[tuple[OptionPath, MarkerKind, str]]:
    """The marked values of a plugin's options whose marker is of one kind."""
    for path, marker, value in marked(options):
        if isinstance(marker, kind):
            yield path, marker, value


def marked(options: BaseModel) -> Iterator[tuple[OptionPath, Marker, str]]:
    """Every marked value of a plugin's options: (path in the options, marker, value).

    Looks into lists and mappings of marked values and into nested models.
    """
    for name, declared in _declared(type(options)).items():
        value = getattr(options, name)
        if value is not None:
            yield from _marked_value((name,), declared, value)


@cache
def _declared(kind: type[BaseModel]) -> Mapping[str, list[Marker]]:
    """The markers of each option: a check asks for them many times."""
    return {name: markers(info) for name, info in kind.model_fields.items()}


def markers(info: FieldInfo) -> list[Marker]:
    """What an option's declaration says of its values, those inside lists and mappings too."""
    found = [item for item in info.metadata if isinstance(item, Marker)]
    return found + [item for item in _inner_metadata(info.annotation) if isinstance(item, Marker)]


def _inner_metadata(annotation: Any) -> Iterator[Any]:
    """Metadata of `Annotated` types inside `X | None`, `list[X]` and `dict[str, X]`."""
    yield from getattr(annotation, "__metadata__", ())
    for argument in getattr(annotation, "__args__", ()):
        yield from _inner_metadata(argument)


def _marked_value(
    path: OptionPath, markers: list[Marker], value: Any
) -> Iterator[tuple[OptionPath, Marker, str]]:
    if isinstance(value, BaseModel):
        for inner, marker, text in marked(value):
            yield (*path, *inner), marker, text
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from _marked_value((*path, key), markers, item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(value):
            yield from _marked_value((*path, index), markers, item)
    elif isinstance(value, str):
        yield from ((path, marker, value) for marker in markers)


Effort = Literal["none", "minimal", "low", "medium", "high", "xhigh", "max"]
"""How hard a model thinks, in the words that servers take."""
STEERING = ("extra", "thinking", "reasoning_effort", "omit")
"""Options that a server must understand; those that are not written are in no key."""


class ThoughtBudget(Described):
    """Thinking, for so long."""

    budget: Annotated[int, Gt(0)]
    """Tokens of a thought at most."""


Thinking = Literal["on", "off"] | ThoughtBudget


class Sampling(Described):
    """Mix into a plugin's class: its options then include these, in OpenAI's names."""

    temperature: Annotated[float, Ge(0), Le(2)] | None = None
    """Sampling temperature; the provider's default where it is left out."""
    top_p: Annotated[float, Gt(0), Le(1)] | None = None
    """Nucleus sampling: the share of probability to draw from."""
    min_p: Annotated[float, Ge(0), Le(1)] | None = None
    """Leave out tokens less likely than this share of the likeliest (vLLM, llama.cpp)."""
    max_tokens: Annotated[int, Gt(0)] | None = None
    """Tokens to write at most."""
    stop: tuple[str, ...] = ()
    """Texts at which writing ends; they are not part of the reply."""
    presence_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    """Penalty on tokens that were used already."""
    frequency_penalty: Annotated[float, Ge(-2), Le(2)] | None = None
    """Penalty on tokens by how often they were used."""
    repetition_penalty: Annotated[float, Gt(0), Le(2)] | None = None
    """Divide the odds of tokens in the text so far by this; 1: off (vLLM, llama.cpp)."""
    extra: dict[str, Any] | None = None
    """Further parameters of the request, any JSON, as this server names them: `{top_k: 20}`. They
    are merged into the request, over the provider's own `extra`."""
    thinking: Thinking | None = None
    """Whether the model thinks before it answers: `on`, `off`, or `{budget: 2000}` tokens; told as
    the provider's vendor wants it. The provider's own where it is left out."""
    reasoning_effort: Effort | None = None
    """How hard a thinking model thinks; the provider's own where it is left out."""
    omit: tuple[str, ...] = ()
    """Parameters that are not sent since the server refuses them: `[temperature]`; with those of
    the provider."""

    @model_serializer(mode="wrap")
    def _as_written(self, handler: SerializerFunctionWrapHandler) -> dict[str, Any]:
        told: dict[str, Any] = handler(self)
        return {
            name: value
            for name, value in told.items()
            if name not in STEERING or value not in (None, (), [])
        }

    def sampling(self) -> dict[str, Any]:
        """What was set, for a `Model`'s call."""
        names = Sampling.model_fields
        chosen = {name: getattr(self, name) for name in names}
        chosen["stop"], chosen["omit"] = list(self.stop), list(self.omit)
        if isinstance(self.thinking, ThoughtBudget):
            chosen["thinking"] = {"budget": self.thinking.budget}
        return {name: value for name, value in chosen.items() if value not in (None, [])}
