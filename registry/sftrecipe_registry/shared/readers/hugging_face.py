"""Reading Hugging Face data sets: saved on disk without `datasets`, and from the hub with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import orjson

from sftrecipe.plugin import Context, PluginRefused, Texts, install_command, open_regular
from sftrecipe_registry.shared.files.data_files import check_names, data_files
from sftrecipe_registry.shared.files.packed_files import plain_name
from sftrecipe_registry.shared.readers.arrow_tables import plain
from sftrecipe_registry.shared.readers.rows import Found, GoodLine
from sftrecipe_registry.shared.readers.table_files import SUFFIXES, table_kind, table_rows

texts = Texts(__package__)
_BATCH = 1000
_HUB_NAME = re.compile(r"(\w[\w.-]*/)?\w[\w.-]*", re.ASCII)


def saved_tables(
    folder: Path, shown: str, split: str, subset: str | None, ctx: Context
) -> Iterator[tuple[Iterator[Found], str]]:
    """The tables of a split, each with its name: a `save_to_disk` folder or a copy of a hub's.

    What else lies in a copy is told. Raises PluginRefused where the folder holds no such split.
    """
    if (folder / "dataset_dict.json").is_file():
        splits = _json(folder / "dataset_dict.json").get("splits", [])
        if split not in splits:
            there = ", ".join(map(str, splits)) or texts("none")
            raise PluginRefused(texts("no-split", split=split, folder=shown, splits=there))
        folder, shown = folder / split, f"{shown.rstrip('/')}/{split}"
    if (folder / "state.json").is_file():
        found = _json(folder / "state.json").get("_data_files", [])
        names = [str(item.get("filename")) for item in found if isinstance(item, dict)]
    else:
        names = _copied(folder / subset if subset else folder, split)
        names = [f"{subset}/{name}" if subset else name for name in names]
        _tell_others(folder, shown, names, ctx)
    if not names and not (folder / "state.json").is_file():
        raise PluginRefused(texts("no-data-set", folder=shown, split=split))
    check_names(names, shown)
    for name in names:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise PluginRefused(texts("leads-out", file=name, folder=shown))
        told = f"{shown.rstrip('/')}/{name}"
        for file, place in data_files(folder / name, told, table_kind("huggingface"), ctx):
            yield table_rows(file), place


def _tell_others(folder: Path, shown: str, names: Sequence[str], ctx: Context) -> None:
    """Tell what is not read of a copy: other splits, other kinds."""
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder).as_posix()
        if name not in names and file.is_file() and not name.startswith(".") and "/." not in name:
            ctx.tell("passed_over", f"{shown.rstrip('/')}/{name}")


def _copied(folder: Path, split: str) -> list[str]:
    """Files of a split as hubs name them: train.jsonl, train-00000-of-00002.parquet, train/…"""
    found = []
    for file in sorted(folder.rglob("*")):
        name = file.relative_to(folder)
        plain = PurePosixPath(plain_name(file.name.lower()))
        is_read = plain.suffix in SUFFIXES or file.suffix.lower() == ".zip"
        if not is_read or any(part[0] == "." for part in name.parts):
            continue
        stem = file.name.split(".")[0]
        if stem == split or stem.startswith((f"{split}-", f"{split}_")) or split in name.parts[:-1]:
            found.append(name.as_posix())
    return found


def is_hub_name(name: str) -> bool:
    """Whether this can be the name of a data set on the hub; a path is none."""
    return _HUB_NAME.fullmatch(name) is not None


def hub_rows(
    name: str,
    *,
    split: str,
    subset: str | None = None,
    folder: str | None = None,
    revision: str | None = None,
) -> Iterator[GoodLine]:
    """Every row of a data set of the hub, with its number. Raises PluginRefused, with advice."""
    table = _loaded(name, split=split, subset=subset, folder=folder, revision=revision)
    number = 0
    for batch in table.with_format("arrow").iter(_BATCH):
        for row in batch.to_pylist():
            number += 1
            yield number, plain(row)


def _loaded(
    name: str, *, split: str, subset: str | None, folder: str | None, revision: str | None
) -> Any:
    try:
        import datasets  # noqa: PLC0415 - takes most of a second, and is an extra
        import datasets.config  # noqa: PLC0415
    except ImportError as error:
        command = f"{install_command()} 'sftrecipe[datasets]'"
        raise PluginRefused(texts("datasets-missing", command=command)) from error
    from datasets import packaged_modules  # noqa: PLC0415

    readers = getattr(packaged_modules, "_PACKAGED_DATASETS_MODULES", {})
    if not is_hub_name(name) or name in readers or Path(name).exists():
        raise PluginRefused(texts("not-on-hub", name=name))
    datasets.config.HF_DATASETS_TRUST_REMOTE_CODE = False
    try:
        return datasets.load_dataset(name, subset, data_dir=folder, split=split, revision=revision)
    except Exception as error:  # of requests, httpx, huggingface_hub and datasets
        said = f"{error}".strip().splitlines()
        reason = f"{type(error).__name__}: {said[0] if said else ''}"
        raise PluginRefused(texts("not-loaded", name=name, reason=reason)) from error


def _json(path: Path) -> dict[str, Any]:
    try:
        with open_regular(path) as file:
            value = orjson.loads(file.read())
    except OSError as error:
        raise PluginRefused(
            texts("file-unreadable", file=path.name, error=error.strerror)
        ) from error
    except orjson.JSONDecodeError as error:
        raise PluginRefused(texts("no-json", file=path.name, error=error)) from error
    return value if isinstance(value, dict) else {}
