"""Tables of comma- or tab-separated values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import partial
from typing import Annotated, ClassVar

from annotated_types import Len

from sftrecipe.plugin import (
    Context,
    InputPath,
    Inputs,
    OptionFiles,
    OptionProblem,
    Record,
    Reject,
    Source,
    Texts,
)
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.file_contents import check_text
from sftrecipe_registry.shared.files.packed_files import DataFile
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.csv_delimiter import NONE, delimiter_of, usual_delimiter
from sftrecipe_registry.shared.readers.csv_table import csv_rows
from sftrecipe_registry.shared.readers.rows import found_rows

texts = Texts(__package__)
Character = Annotated[str, Len(1, 1)]


class Csv(Source):
    """Read a CSV or TSV file: the first line names the columns, every value is a text.

    Rejects `wrong_columns` (more or fewer values than the header), `bad_csv` (a quotation mark that
    does not close, or text after one that does) and `undecodable`.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "wrong_columns": ("delimiter", "header"),
        "bad_csv": ("quote",),
        "undecodable": ("encoding",),
    }
    example: ClassVar[str] = (
        "{use: csv, path: data/faq.csv, map: {instruction: question, output: answer}}"
    )

    path: InputPath
    """A .csv or .tsv file, or a folder of them; packed ones too (gz, bz2, xz, zst, zip)."""
    delimiter: Character | None = None
    """What stands between values; left out: a tab in .tsv files, else a comma, unless the first
    rows show that it is another of `,`, `;`, tab and `|`."""
    quote: Character = '"'
    """What a value stands in that holds delimiters or line breaks; doubled inside the value."""
    header: tuple[str, ...] | None = None
    """Names of the columns, for a file whose first line is a row already."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Characters that cannot be told apart, and column names that repeat."""
        if self.delimiter is not None and self.delimiter in (self.quote, "\r", "\n", "\0"):
            yield OptionProblem(("delimiter",), texts("cannot-delimit", delimiter=self.delimiter))
        if self.quote in "\r\n\0":
            yield OptionProblem(("quote",), texts("cannot-quote", quote=self.quote))
        if self.header is not None and len(set(self.header)) < len(self.header):
            yield OptionProblem(("header",), texts("named-twice"))

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The table's rows."""
        kind = FileKind("csv", (".csv", ".tsv", ".tab"), partial(check_text, use="csv"))
        for file, shown in data_files(ctx.path(self.path), self.path, kind, ctx):
            found = csv_rows(
                file,
                self.encoding,
                delimiter=self._delimiter(file, shown, ctx),
                quote=self.quote,
                header=self.header,
            )
            yield from found_rows(found, shown, ctx)

    def _delimiter(self, file: DataFile, shown: str, ctx: Context) -> str | None:
        """What the recipe says; None where the file says it, which is told if it is unusual."""
        if self.delimiter is None:
            found = delimiter_of(file, self.encoding, self.quote, self.header).character
            if found != usual_delimiter(file):
                ctx.tell("delimiter", f"{shown} {'none' if found == NONE else repr(found)}")
        return self.delimiter
