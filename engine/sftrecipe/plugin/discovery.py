"""Finding plugins by their entry points, built-ins and third parties alike."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint

from sftrecipe.errors import PluginError, UsageError, unknown
from sftrecipe.installed_packages import declared
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.judge import Judge
from sftrecipe.plugin.plugin_kinds import Exporter, Filter, Generator, Mixer, Source
from sftrecipe.plugin.provider import Provider
from sftrecipe.plugin.trainer import Trainer

KINDS: Mapping[str, type[Plugin]] = {
    "provider": Provider,
    "source": Source,
    "generator": Generator,
    "filter": Filter,
    "mixer": Mixer,
    "exporter": Exporter,
    "trainer": Trainer,
    "judge": Judge,
}


@dataclass(frozen=True)
class Found:
    """A plugin as its package declares it, not yet imported."""

    kind: str
    name: str
    entry: EntryPoint

    @property
    def package(self) -> str:
        """The distribution that ships it, with its version."""
        distribution = self.entry.dist
        return f"{distribution.name} {distribution.version}" if distribution else "?"

    def load(self) -> type[Plugin]:
        """Import the class.

        Raises PluginError, naming the package, when the import fails or gives something else.
        """
        try:
            loaded = self.entry.load()
        except Exception as error:
            raise PluginError(
                "plugin-import",
                "plugin-package",
                kind=self.kind,
                name=self.name,
                package=self.package,
                error=f"{type(error).__name__}: {error}",
            ) from error
        base = KINDS[self.kind]
        if not (isinstance(loaded, type) and issubclass(loaded, base)):
            raise PluginError(
                "plugin-class",
                "plugin-package",
                kind=self.kind,
                name=self.name,
                package=self.package,
                base=base.__name__,
            )
        return loaded


def known_kind(kind: str) -> str:
    """The kind, if it is one; a plural is understood. Raises UsageError with the nearest."""
    singular = kind.lower().removesuffix("s")
    if singular in KINDS:
        return singular
    raise UsageError.of(
        unknown("no-such-kind", None, singular, KINDS, hint="plugin-kinds", kind=kind)
    )


@cache
def plugins(kind: str) -> Mapping[str, Found]:
    """All plugins of a kind by name, unimported.

    Raises PluginError when two packages declare the same name.
    """
    found: dict[str, Found] = {}
    for entry in declared(f"{kind}s"):
        candidate = Found(kind, entry.name, entry)
        other = found.setdefault(entry.name, candidate)
        if other.entry.value != entry.value:
            raise PluginError(
                "plugin-duplicate",
                kind=kind,
                name=entry.name,
                first=other.package,
                second=candidate.package,
            )
    return found


@cache
def plugin_class(kind: str, name: str) -> type[Plugin]:
    """The class of a plugin. Raises PluginError, and KeyError when there is no such name."""
    return plugins(kind)[name].load()
