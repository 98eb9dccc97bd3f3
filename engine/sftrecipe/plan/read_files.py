"""The files that a step reads: what they hold is part of its key, and is held to it at the run."""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.option_types import FileMarker, PromptMarker, marked, values_of
from sftrecipe.plugin.package_source import source_files
from sftrecipe.plugin.plugin_kinds import PluginRefused, Source
from sftrecipe.recipe.recipe import Block, CheckedRecipe
from sftrecipe.store.file_hashes import FileHashes, states

_MOST_FILES = 2000
_GONE = frozenset({"missing-file", "unreadable-file", "file-changing"})
"""What is said of a file that does not hold any more what it held."""


class ReadFiles:
    """What a recipe's steps read beside their streams."""

    def __init__(self, recipe: CheckedRecipe, hashes: FileHashes) -> None:
        self._recipe = recipe
        self._hashes = hashes
        self._planned: dict[str, dict[str, str]] = {}
        self._paths: dict[tuple[str, str], Path] = {}
        """Where files lie that no option names, by block and name."""

    def hashes(self, block: Block) -> dict[str, str]:
        """Content hashes of the files that decide the step's result, by their names."""
        found = self._planned[block.id] = self._now(block)
        return found

    def planned(self, block: Block) -> dict[str, tuple[str, Path]]:
        """What a block's files held when its key was made, and where each lies, by their names.

        A folder is told by its files, a very large one as a whole.
        """
        found: dict[str, tuple[str, Path]] = {}
        for name, content in self._planned.get(block.id, {}).items():
            if not content:
                continue
            path = Path(block.files.paths.get(name) or self._paths[block.id, name])
            if " " not in content:
                found[name] = content, path
                continue
            if content.count("\n") >= _MOST_FILES:
                found[name] = blake2b(content.encode(), digest_size=16).hexdigest(), path
                continue
            for line in content.splitlines():
                inside, _, held = line.rpartition(" ")
                found[f"{name.rstrip('/')}/{inside}"] = held, path / inside
        return found

    def texts(self, block: Block) -> list[str]:
        """What else a source reads by, such as a catalogue's entry, when its key was made."""
        return [name for name, content in self._planned.get(block.id, {}).items() if not content]

    def altered(self, block: Block) -> str | None:
        """The first of them that does not hold any more what it held when its key was made."""
        planned = self._planned.get(block.id, {})
        try:
            now = self._now(block)
        except SftrecipeError as error:
            if error.problem.slug not in _GONE:
                raise
            return str(error.problem.values["path"])
        except (PluginRefused, OSError) as refusal:
            return str(refusal)
        changed = sorted(name for name, _ in planned.items() ^ now.items())
        return changed[0] if changed else None

    def _now(self, block: Block) -> dict[str, str]:
        paths = _named(block)
        found = {name: self._hashes.of(path) for name, path in sorted(paths.items())}
        if isinstance(block.plugin, Source):
            for read in block.plugin.depends_on(block.files, self._folder(block)):
                if isinstance(read, str):
                    found[f"text {read}"] = ""
                    continue
                name = self._name(block, read)
                self._paths[block.id, name] = read
                found[name] = self._hashes.of(read)
        return found

    def source(self, block: Block) -> str:
        """What the code of a plugin holds that somebody may be editing; of installed ones empty."""
        files = source_files(type(block.plugin))
        return "\n".join(f"{name} {self._hashes.of(path)}" for name, path in files)

    def states(self, block: Block) -> list[object]:
        """What shows whether any of the files, or of what says which these are, was touched."""
        paths = [Path(path) for _, path in sorted(_named(block).items())]
        if isinstance(block.plugin, Source):
            read = block.plugin.depends_on(block.files, self._folder(block))
            paths += [path for path in read if isinstance(path, Path)]
            paths += block.plugin.looks_into(block.files, self._folder(block))
        asked = [self._recipe.providers[name] for name in block.asks.values()]
        return states([*paths, *(path for each in asked for path in _files_of(each))])

    def _folder(self, block: Block) -> Path:
        return block.folder or self._recipe.path.resolve().parent

    def _name(self, block: Block, read: Path) -> str:
        """A file's name from the recipe's folder, or from that of the preset that it is of: a
        project may be moved as a whole, and a preset lie anywhere."""
        recipe = self._recipe.path.resolve().parent
        seen = (each.folder for each in block.files.of_presets.values() if _is_of(read, each.own))
        return os.path.relpath(read, next(seen, recipe))


def _is_of(file: Path, folder: Path) -> bool:
    return file.is_relative_to(folder) or file.resolve().is_relative_to(folder.resolve())


def _named(block: Block) -> dict[str, str]:
    """The paths of the files that the block's options name, by their names."""
    return {
        value: block.files.paths[value]
        for _, marker, value in marked(block.plugin)
        if isinstance(marker, (FileMarker, PromptMarker)) and value in block.files.paths
    }


def _files_of(provider: Block) -> Iterator[Path]:
    """Files that a provider's options name: by their paths, as it is connected elsewhere."""
    for _, _, path in values_of(provider.plugin, FileMarker):
        yield Path(path)
