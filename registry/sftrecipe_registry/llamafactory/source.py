"""Data sets of a LLaMA-Factory catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from sftrecipe.plugin import (
    Context,
    InputFile,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Reject,
    Source,
    Texts,
    draw_rows,
    error_text,
    unusual_kind,
)
from sftrecipe_registry.llamafactory.formats.alpaca_shape import alpaca_shape
from sftrecipe_registry.llamafactory.formats.catalogue_entry import (
    BadCatalogue,
    Entry,
    data_path,
    find_catalogue,
    read_entry,
)
from sftrecipe_registry.llamafactory.formats.ignored_columns import counting_unnamed
from sftrecipe_registry.llamafactory.formats.sharegpt_shape import sharegpt_shape
from sftrecipe_registry.shared.files.data_files import data_files
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.hugging_face import hub_rows
from sftrecipe_registry.shared.readers.rows import found_rows
from sftrecipe_registry.shared.readers.table_files import (
    FILE_REASONS,
    TEXT_SUFFIXES,
    suffix_of,
    table_kind,
    table_rows,
)

texts = Texts(__package__)


class Dataset(Source):
    """Read an entry of a `dataset_info.json`, in all of LLaMA-Factory's formats.

    Alpaca (with history and system), sharegpt, openai, preferences, KTO, texts to pre-train on, and
    the old formats come out in the canonical columns; what LLaMA-Factory would drop without a word
    is rejected: `missing_column`, `roles_alternate`, `bad_role`, `bad_messages`, `wrong_type`.
    Other columns travel along, but those with a meaning (`input`, `system` …) that the entry does
    not name: they are left out and told. KTO labels are read in every usual form, others rejected
    as `bad_label`. `num_samples` of the entry is kept, but never repeats a row.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **FILE_REASONS,
        "undecodable": ("encoding",),
        "bad_label": (),
    }
    example: ClassVar[str] = "{use: dataset, name: alpaca_zh_demo, sample: 500}"

    name: str
    """Name of the entry."""
    catalogue: InputFile | None = None
    """The catalogue; left out: the `dataset_info.json` in the recipe's folder or above it."""
    encoding: Encoding = "auto"
    """Encoding of text files; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """An entry that is not there or cannot be read, where the catalogue is named."""
        if self.catalogue is None or self.catalogue not in files.paths:
            return
        try:
            catalogue = Path(files.paths[self.catalogue])
            entry = read_entry(catalogue, self.name)
            if not entry.hub and not data_path(catalogue, entry).exists():
                yield OptionProblem(("name",), texts("file-missing", file=entry.file_name))
            elif not entry.hub:
                _data(catalogue, entry)
        except (BadCatalogue, PluginRefused) as fault:
            yield OptionProblem(("name",), error_text(fault))

    def depends_on(self, files: OptionFiles, folder: Path) -> Sequence[Path | str]:
        """The entry and its data; what else the catalogue holds does not matter."""
        catalogue, entry = self._found(files, folder)
        return [repr(entry)] if entry.hub else [repr(entry), _data(catalogue, entry)]

    def looks_into(self, files: OptionFiles, folder: Path) -> Sequence[Path]:
        """The catalogue."""
        return [self._found(files, folder)[0]]

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The entry's rows."""
        catalogue, entry = self._found(ctx.files, ctx.folder)
        rows = self._rows(catalogue, entry, ctx)
        if entry.num_samples is None:
            return rows
        return draw_rows(rows, entry.num_samples, ctx, "num_samples")

    def peek(self, ctx: Context) -> Inputs:
        """Column names from the first rows of a text file; of other kinds not known."""
        catalogue, entry = self._found(ctx.files, ctx.folder)
        if entry.hub:
            return None
        data = _data(catalogue, entry)
        kind = table_kind("dataset", self.encoding)
        alone = ctx.detached()  # what it tells is told once
        first = next(data_files(data, entry.file_name or "", kind, alone))[0]
        if suffix_of(first) in TEXT_SUFFIXES:
            return super().peek(ctx)
        ctx.told.update(alone.told)
        return None

    def _found(self, files: OptionFiles, folder: Path) -> tuple[Path, Entry]:
        """The catalogue and the entry. Raises PluginRefused."""
        try:
            if self.catalogue is None:
                catalogue = find_catalogue(folder)
            else:
                catalogue = Path(files.paths[self.catalogue])
            return catalogue, read_entry(catalogue, self.name)
        except BadCatalogue as fault:
            raise PluginRefused(error_text(fault)) from fault

    def _rows(self, catalogue: Path, entry: Entry, ctx: Context) -> Iterator[Record | Reject]:
        if entry.formatting == "alpaca":
            shape = alpaca_shape(entry)
        else:
            shape = sharegpt_shape(entry, self.leave_out)
        shape = counting_unnamed(shape, entry, ctx)
        if entry.hub:
            place = (entry.subset, entry.folder)
            rows = hub_rows(entry.hub, split=entry.split, subset=place[0], folder=place[1])
            yield from found_rows(rows, f"{entry.hub}/{entry.split}", ctx, shape)
            return
        kind = table_kind("dataset", self.encoding)
        files = list(data_files(_data(catalogue, entry), entry.file_name or "", kind, ctx))
        kinds = {
            "jsonl" if suffix_of(path) == ".json" else suffix_of(path)[1:] for path, _ in files
        }
        if len(kinds) > 1:
            raise PluginRefused(texts("several-kinds", folder=entry.file_name))
        for path, shown in files:
            yield from found_rows(table_rows(path, self.encoding), shown, ctx, shape)


def _data(catalogue: Path, entry: Entry) -> Path:
    try:
        path = data_path(catalogue, entry)
    except BadCatalogue as fault:
        raise PluginRefused(error_text(fault)) from fault
    if not path.exists():
        raise PluginRefused(texts("data-missing", file=entry.file_name, name=entry.name))
    if kind := unusual_kind(path):
        text = texts("data-unusual", file=entry.file_name, name=entry.name, kind=kind)
        raise PluginRefused(text)
    return path
