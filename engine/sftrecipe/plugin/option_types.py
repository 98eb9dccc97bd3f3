"""Types of plugin options that mean more than their value: files, prompts, references.

Use them as annotations of a plugin's fields; the engine checks them at `validate`, resolves them
for `ctx`, and makes the content of a file part of the step's key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel
from pydantic.fields import FieldInfo


@dataclass(frozen=True)
class FileMarker:
    """The option is the path of a file, relative to the recipe, that must exist."""

    folder: bool = False
    """A folder is accepted too."""


ANY_COLUMN = "any column"
"""In `PromptMarker.shows`: a column of the input row, whichever."""


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
