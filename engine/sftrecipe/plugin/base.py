"""What every plugin is: its frozen, checked options, and what it declares about itself."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from errno import EFBIG
from typing import Any, ClassVar, Literal, NamedTuple

from sftrecipe.plugin.option_types import Described, LaterMarker
from sftrecipe.plugin.permission import Permission, Places, SeenFrom
from sftrecipe.plugin.regular_files import open_regular

Capability = Literal[
    "chat", "complete", "structured", "logprobs", "loglikelihood", "embed", "reward", "tools"
]
"""What a provider can do: chat turns; raw completion of a text; replies held to a JSON Schema;
log-probabilities of what it writes; log-probabilities of a given answer; embeddings; rewards of
given answers; calls of tools within chat turns."""

LONGEST_TEXT = 1 << 26
"""Characters of a file that is read whole; rows are read by sources."""

Inputs = frozenset[str] | None
"""Column names of a block's input rows; None where they are not known before the run."""


@dataclass(frozen=True)
class OptionProblem:
    """What a plugin finds wrong with its own options at `validate`."""

    path: tuple[str | int, ...]
    """Where in the options."""
    message: str
    """Lower case, subject first, the value quoted, no full stop; a `Text` is told in the user's
    language, a plain one as it is, here and in what follows."""
    hint: str | None = None
    at_key: bool = False
    """Whether the key is wrong, not its value."""
    severity: Literal["error", "warning"] = "error"
    """A warning is told and stops nothing."""


CheckState = Literal["ok", "warning", "fault"]
"""All is well; a run works, but somebody should look; a run fails."""


class MachineCheck(NamedTuple):
    """Something of this machine that a plugin needs, as `doctor` finds it."""

    state: CheckState
    found: str
    """What is there, or what is missing."""
    advice: str | None = None
    """What to do."""


class OptionFiles(NamedTuple):
    """Reads the files that the options name, at `validate` and at the run."""

    paths: dict[str, str]
    """Absolute path of every marked file option, by its value in the recipe."""
    of_presets: Mapping[str, SeenFrom] = {}
    """Where values begin that are written in a preset and not in the recipe."""

    def text(self, value: str) -> str:
        """The content of a file that an option names, as UTF-8 without a BOM. Raises OSError."""
        with io.TextIOWrapper(open_regular(self.paths[value]), encoding="utf-8-sig") as file:
            text = file.read(LONGEST_TEXT + 1)
        if len(text) > LONGEST_TEXT:
            raise OSError(EFBIG, f"it has over {LONGEST_TEXT:,} characters", value)
        return text


class Plugin(Described):
    """A plugin is its options: frozen, no unknown keys, attribute docstrings as field docs."""

    kind: ClassVar[str]
    version: ClassVar[str] = "1"
    """Raise it when the same options give other rows: it is part of a step's key."""
    needs: ClassVar[frozenset[Capability]] = frozenset()
    """What the block's provider must be able to do; empty: it takes none."""
    paper: ClassVar[str] = ""
    """The source of the method: paper, section, or code."""
    example: ClassVar[str] = ""
    """A YAML block that works, for `plugins show`."""
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    """Its reasons to reject a row, each with the options that decide it: told where a step loses
    all rows. What they mean stands in `messages.en.yaml` beside its module, under `reasons`."""

    @classmethod
    def __pydantic_init_subclass__(cls, **options: Any) -> None:
        for base in cls.__mro__[1:]:
            if issubclass(base, Plugin):
                taken = vars(base).keys() & cls.model_fields.keys() - base.model_fields.keys()
                if taken:
                    name = min(taken)
                    raise TypeError(f"option '{name}' has a name that {base.__name__} uses itself")

    def required(self) -> frozenset[Capability]:
        """`needs`, where it depends on the options."""
        return self.needs

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """What is wrong with the options beyond their types; asked at `validate`.

        No network, no heavy import.
        """
        return iter(())

    def asks_permission(self, places: Places) -> Iterator[Permission]:
        """What the options do only with the user's word; asked at `validate` and again for a run.

        No network, no heavy import.
        """
        return iter(())

    def check_machine(self) -> Iterator[MachineCheck]:
        """What it needs beside its options: packages, programs, files; asked by `doctor`.

        May take seconds; asks nobody over the network.
        """
        return iter(())

    def missing(self) -> Iterator[MachineCheck]:
        """What this machine lacks for its step to be executed: an environment, a model's folder.

        Told by `plan`; a run refuses before it spends anything. `validate` does not ask it: a
        recipe is right on a machine that cannot execute all of it. No network, no process.
        """
        return iter(())

    def programs(self) -> Mapping[str, str | None]:
        """Versions of programs and packages beside its own that its results rest on, by name;
        None: not here. Told in a recipe's lock; no process, no network.
        """
        return {}

    def fetch(self, say: Callable[[str], None]) -> None:
        """Bring what its step needs and this machine can get by itself: a model's weights.

        Asked before a run spends anything, and quick where all is there; `say` tells the user. May
        use the network. Raises PluginRefused with what to do.
        """

    def identity(self) -> dict[str, object]:
        """The options that decide the result: what a step's key is made from."""
        values = self.model_dump(mode="json")
        for name, field in type(self).model_fields.items():
            is_later = any(isinstance(each, LaterMarker) for each in field.metadata)
            if is_later and getattr(self, name) == field.default:
                del values[name]
        return values
