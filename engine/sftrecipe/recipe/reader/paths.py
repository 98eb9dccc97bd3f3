"""Which files a recipe may read: those of its own folder, and of folders that the user allows.

What stands in a preset may read the files of the preset's own folder, and no others."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from pathlib import Path

from sftrecipe.errors import Position, Problem, closest
from sftrecipe.plugin.permission import SeenFrom
from sftrecipe.plugin.regular_files import unusual_kind
from sftrecipe.recipe.presets.preset import Preset
from sftrecipe.recipe.reader.node import Node

_NAMES = 500
"""Names of a folder that are compared with one that is not there."""


class Roots:
    """The folders whose files a recipe may name, symbolic links followed.

    An absolute path that the user gives a variable of the recipe is his word for that file, or for
    that folder: `--set data=/data/faq.json` needs no `--allow-path`.
    """

    def __init__(
        self, recipe: Path, allowed: Sequence[Path], variables: Mapping[str, str] | None = None
    ) -> None:
        self._folders = [Path(os.path.realpath(recipe)).parent]
        named = Path(os.path.abspath(recipe.parent))  # noqa: PTH100 - keeps a link to the folder
        given = [Path(value) for value in (variables or {}).values() if _is_path(value)]
        self._allowed = [Path(os.path.realpath(each)) for each in (*allowed, *given)]
        self._folders += [Path(os.path.realpath(named)), *self._allowed]
        self._presets: dict[str, Preset] = {}

    @property
    def folders(self) -> tuple[Path, ...]:
        """The folders of what stands in the recipe itself, links followed."""
        return tuple(self._folders)

    @property
    def presets(self) -> tuple[Preset, ...]:
        """The presets that the recipe is laid over, each once."""
        return tuple(dict.fromkeys(self._presets.values()))

    def forbidden_link(self, preset: Preset) -> Path | None:
        """The recipe or the folder of a preset of the project where it is a link, by which any file
        would be its own, and the user has not allowed what it leads to."""
        for link in preset.links if preset.kind == "folder" else ():
            real = Path(os.path.realpath(link))
            if not any(real.is_relative_to(root) for root in self._allowed):
                return link
        return None

    def confine(self, file: Path, preset: Preset) -> None:
        """What stands in a file of a preset reads the preset's files alone."""
        self._presets[str(file)] = preset

    def preset_of(self, source: Position) -> Preset | None:
        """The preset that something was written in; None: in the recipe, or a file of its own."""
        return self._presets.get(source.path)

    def checked(
        self,
        value: str,
        source: Position,
        place: Position,
        problems: list[Problem],
        missing: str = "missing-file",
        *,
        folders: bool = False,
    ) -> Path | None:
        """The file that a value names, seen from the file it was written in; None, and a problem,
        where it may not be read or is not there."""
        values: dict[str, object] = {"path": value}
        if not value or "\0" in value or len(value) > 4096:
            problems.append(Problem(missing, place, values))
            return None
        file = Path(source.path).parent / value
        real = Path(os.path.realpath(file))
        if (preset := self.preset_of(source)) is not None:
            if not _is_of(preset, file, real):
                values["preset"] = preset.name
                problems.append(Problem("preset-path-outside", place, values))
                return None
        elif not any(real.is_relative_to(root) for root in self._folders):
            values["folder"] = str(self._to_allow(file, real))
            problems.append(Problem("path-outside", place, values, "allow-path"))
            return None
        if not _exists(real):
            problems.append(_missing(missing, place, value, real))
        elif kind := unusual_kind(real):
            values["kind"] = kind
            problems.append(Problem("unusual-file", place, values))
        elif real.is_dir() and not folders:
            problems.append(Problem("not-a-file", place, values))
        elif not os.access(real, os.R_OK):
            problems.append(Problem("unreadable-file", place, {**values, "error": "permission"}))
        else:
            return file
        return None

    def _to_allow(self, file: Path, real: Path) -> Path:
        """The folder that the user would have to allow, as short as it can be said."""
        written = Path(os.path.normpath(file)).parent
        return written if os.path.realpath(written) == str(real.parent) else real.parent


def seen_from_presets(node: Node, roots: Roots) -> dict[str, SeenFrom]:
    """Where paths begin, by their texts, that are written in a preset."""
    found = {}
    for _, text in node.texts():
        preset = roots.preset_of(text.written_at)
        if preset is not None:
            folder = Path(text.written_at.path).absolute().parent
            found[text.value] = SeenFrom(folder, preset.folder.absolute())
    return found


def is_of_preset(value: str, folder: Path, preset: Preset) -> bool:
    """Whether a path that is written in a file of the folder leads to a file of the preset's."""
    file = folder / os.path.expanduser(value)  # noqa: PTH111 - a name of nobody stays as it is
    return _is_of(preset, file, Path(os.path.realpath(file)))


def seen_twice(node: Node, roots: Roots) -> Iterator[tuple[Node, set[Preset | None]]]:
    """Texts that are written in a preset and outside of it, where either means a file; with all
    that they are of. None: the recipe."""
    written: dict[str, dict[Preset | None, Position]] = {}
    for _, text in node.texts():
        source = text.written_at
        written.setdefault(text.value, {}).setdefault(roots.preset_of(source), source)
        sources = written[text.value]
        if len(sources) > 1 and any(_names_file(text.value, each) for each in sources.values()):
            yield text, set(sources)


def _names_file(value: str, source: Position) -> bool:
    return "\0" not in value and _exists(Path(source.path).parent / value)


def _is_of(preset: Preset, file: Path, real: Path) -> bool:
    """Whether a file is one of the preset's.

    Links are followed, but of installed packages: some installers put links in place of files.
    """
    if preset.kind in ("wheel", "package"):
        return Path(os.path.abspath(file)).is_relative_to(os.path.abspath(preset.folder))  # noqa: PTH100
    return real.is_relative_to(os.path.realpath(preset.folder))


def _missing(slug: str, place: Position, value: str, real: Path) -> Problem:
    """A file that is not there, with one of a like name beside it, or where it was looked for."""
    near = closest(real.name, names_in(real.parent) - {real.name})
    if near is not None:
        values = {"path": value, "suggestion": str(Path(value).with_name(near))}
        return Problem(slug, place, values, "did-you-mean")
    hint = "path-start" if slug == "missing-file" else None
    return Problem(slug, place, {"path": value}, hint)


def names_in(folder: Path) -> set[str]:
    """Some files' names of a folder; none where there is none."""
    try:
        with os.scandir(folder) as found:
            return {each.name for each in islice(found, _NAMES) if not each.name.startswith(".")}
    except OSError:
        return set()


def _is_path(value: str) -> bool:
    """Whether it says where something is, and not everything."""
    return "\0" not in value and Path(value).is_absolute() and os.path.realpath(value) != os.sep


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except OSError:  # a name that is too long, a loop of links
        return False
