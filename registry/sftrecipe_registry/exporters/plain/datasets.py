"""A folder of the `datasets` library, or a data set on the Hugging Face hub."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from pydantic import StringConstraints

from sftrecipe.plugin import (
    DataSet,
    ExportContext,
    Exporter,
    LaterMarker,
    PluginRefused,
    Rows,
    Texts,
    install_command,
)
from sftrecipe_registry.exporters.plain.plain_rows import common_schema, id_column, tables
from sftrecipe_registry.shared.files.data_set_name import Name, data_set_name

if TYPE_CHECKING:
    import datasets

texts = Texts(__package__)

Repository = Annotated[str, StringConstraints(pattern=r"^[\w.-]+/[\w.-]+$")]


class Datasets(Exporter):
    """Save the rows as `datasets.load_from_disk` reads them, and push them where that is asked.

    Needs the extra `datasets`. The hub's token is the library's own: `HF_TOKEN` or a login.
    """

    example: ClassVar[str] = "{use: datasets, with: {name: medical_hf}}"

    name: Name | None = None
    """Name of the folder; the recipe's where it is left out."""
    ids: Annotated[bool, LaterMarker()] = False
    """Add every row's id, which `sftrecipe explain` takes, as `id`; where the rows have a column of
    that name, as `row_id`."""
    lineage: bool = False
    """Add the column `lineage`: id, stream, origin, parents, calls, scores and tags."""
    push_to_hub: Repository | None = None
    """Repository on the hub (`owner/name`) to push to as well."""
    private: bool = True
    """Whether a repository that is made for it is private."""

    def writes(self, name: str) -> Sequence[DataSet]:
        """Its one data set."""
        name = data_set_name(self.name, name)
        return [DataSet(name, (name,), 0)]

    def export(self, rows: Rows, to: ExportContext) -> Sequence[DataSet]:
        """Save the rows; they are read twice, first for the types."""
        library = _library()
        name = data_set_name(self.name, to.name)
        to.claim(name)
        with _scratch(to.folder, name) as scratch:
            made = self._data_set(library, rows, scratch)
            saved = scratch / "saved"
            made.save_to_disk(str(saved))
            if self.push_to_hub is not None:
                _push(made, self.push_to_hub, self.private)
            count = len(made)
            del made  # it holds files of the scratch folder open
            _put_in_place(saved, to.folder / name)
        return [DataSet(name, (name,), count)]

    def _data_set(self, library: Any, rows: Rows, scratch: Path) -> datasets.Dataset:
        from pyarrow.parquet import ParquetWriter  # noqa: PLC0415

        id_name = id_column(rows, self.ids)
        schema = common_schema(rows, self.lineage, id_name)
        if not schema.names:
            return library.Dataset.from_dict({})
        file = scratch / "rows.parquet"
        with ParquetWriter(file, schema) as writer:
            for table in tables(rows, schema, self.lineage, id_name):
                writer.write_table(table)
        cache = str(scratch / "cache")
        return library.Dataset.from_parquet(str(file), cache_dir=cache)


def _library() -> Any:
    try:
        import datasets  # noqa: PLC0415 - two seconds
    except ImportError as error:
        install = f"{install_command()} 'sftrecipe[datasets]'"
        raise PluginRefused(texts("library-missing", install=install)) from error
    datasets.disable_progress_bars()
    return datasets


def _push(made: datasets.Dataset, repository: str, private: bool) -> None:
    """Push, with the hub's refusal in one line."""
    try:
        made.push_to_hub(repository, private=private)
    except Exception as error:
        detail = (str(error).strip() or type(error).__name__).splitlines()[0]
        told = texts("push-failed", repository=repository, cause=detail)
        raise PluginRefused(told) from error


@contextmanager
def _scratch(folder: Path, name: str) -> Iterator[Path]:
    """A folder for what is unfinished, on the same disk, removed at the end."""
    folder.mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(prefix=f".{name}.", suffix=".tmp", dir=folder))
    try:
        yield scratch
    finally:
        shutil.rmtree(scratch, ignore_errors=True)


def _put_in_place(saved: Path, target: Path) -> None:
    """Rename into place; what stood there goes only when the new folder is whole."""
    old = saved.with_name("old")
    if target.is_symlink():
        target.unlink()
    elif target.exists():
        target.rename(old)
    saved.rename(target)
