"""The source of a plugin that somebody may be editing: its package is no installed copy."""

from __future__ import annotations

import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path

_SHIPPED = frozenset({"sftrecipe", "sftrecipe_registry"})
"""They count by their versions, which their tests hold them to: an update makes nobody's models
be trained again."""
_COPIES = frozenset({"site-packages", "dist-packages"})
"""Where installers put copies, which change with their version alone."""
_PASSED_OVER = frozenset({"__pycache__", "descriptions.zh.yaml"})
"""What no result rests on: the second is only shown."""


def is_shipped(plugin: type) -> bool:
    """Whether a plugin's class comes with this package."""
    return plugin.__module__.partition(".")[0] in _SHIPPED


def source_files(plugin: type) -> list[tuple[str, Path]]:
    """All files of the packages that a plugin's class is written in, by name; none of an installed
    one.

    Its base classes' packages are among them; what these import besides is not.
    """
    names = {each.__module__.partition(".")[0] for each in plugin.__mro__} - _SHIPPED
    return [found for name in sorted(names) for found in _files(name)]


def _files(name: str) -> Iterator[tuple[str, Path]]:
    module = sys.modules.get(name)
    file = getattr(module, "__file__", None)
    for folder in sorted(map(Path, getattr(module, "__path__", ()))):
        if not _is_copy(folder):
            for path in sorted(folder.rglob("*")):
                inner = path.relative_to(folder)
                if path.is_file() and not any(map(_is_passed_over, inner.parts)):
                    yield f"{name}/{inner.as_posix()}", path
    if file is not None and not hasattr(module, "__path__") and not _is_copy(Path(file)):
        yield name, Path(file)


def _is_copy(path: Path) -> bool:
    library = Path(sysconfig.get_path("stdlib")).resolve()
    return not _COPIES.isdisjoint(path.parts) or path.resolve().is_relative_to(library)


def _is_passed_over(part: str) -> bool:
    return part in _PASSED_OVER or part.startswith(".")
