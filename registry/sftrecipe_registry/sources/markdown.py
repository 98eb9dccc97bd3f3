"""Folders of Markdown documents."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache, partial
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, NamedTuple

from annotated_types import Ge, Le

from sftrecipe.plugin import Context, InputPath, Record, Reject, Source
from sftrecipe_registry.shared.files.data_files import FileKind, data_files
from sftrecipe_registry.shared.files.file_contents import check_text
from sftrecipe_registry.shared.files.packed_files import plain_name
from sftrecipe_registry.shared.files.text_files import Encoding
from sftrecipe_registry.shared.readers.rows import BadLine, Found, found_rows
from sftrecipe_registry.shared.readers.text_documents import whole_file

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_FRONT_TITLE = re.compile(r"title:\s*(.+?)\s*$")


class Markdown(Source):
    """Read Markdown documents into `text`, `title` and `path`, whole or cut at their headings.

    The title is the front matter's, else the first heading, else the file's name; front matter is
    no part of the text. Cut documents have a column `section` too: the headings above the text,
    joined by " > ". Empty documents and headings without a text count for nothing.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "undecodable": ("encoding",),
        "file_too_long": (),
    }
    example: ClassVar[str] = "{use: markdown, path: handbook, split: 2}"

    path: InputPath
    """A .md file, or a folder of them; packed ones too (gz, bz2, xz, zst, zip)."""
    split: Annotated[int, Ge(1), Le(6)] | None = None
    """Cut documents at headings of this level and above; left out: a document is a row."""
    encoding: Encoding = "auto"
    """Encoding of the text; `auto` knows UTF-8, GB18030, UTF-16 and some more."""

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The documents or their sections."""
        kind = FileKind("markdown", (".md", ".markdown"), partial(check_text, use="markdown"))
        for file, shown in data_files(ctx.path(self.path), self.path, kind, ctx):
            found = whole_file(file, self.encoding)
            yield from found_rows(self._documents(found, shown), shown, ctx)

    def _documents(self, found: Iterator[Found], shown: str) -> Iterator[Found]:
        for item in found:
            if isinstance(item, BadLine):
                yield item
            else:
                yield from self._rows(item[1]["text"], shown)

    def _rows(self, text: str, shown: str) -> Iterator[Found]:
        lines = text.split("\n")
        begin, title = _front_matter(lines)
        is_read = self.split is not None or not title
        headings = list(_headings(lines, begin)) if is_read else []
        title = (
            title or (headings[0].text if headings else "") or PurePosixPath(plain_name(shown)).stem
        )
        row: dict[str, Any] = {"text": "", "title": title, "path": shown}
        if self.split is None:
            if body := "\n".join(lines[begin:]).strip():
                yield begin + 1, row | {"text": body}
            return
        cuts = [heading for heading in headings if heading.level <= self.split]
        ends = [heading.line for heading in cuts] + [len(lines)]
        if body := "\n".join(lines[begin : ends[0]]).strip():
            yield begin + 1, row | {"text": body, "section": ""}
        above: list[_Heading] = []
        for heading, end in zip(cuts, ends[1:], strict=True):
            above = [each for each in above if each.level < heading.level] + [heading]
            if "\n".join(lines[heading.body : end]).strip():
                body = "\n".join(lines[heading.line : end]).strip()
                section = " > ".join(each.text for each in above)
                yield heading.line + 1, row | {"text": body, "section": section}


class _Heading(NamedTuple):
    line: int
    """Where it begins, from 0."""
    body: int
    """The line after it."""
    level: int
    text: str


def _front_matter(lines: list[str]) -> tuple[int, str]:
    """The line after the YAML block at the top, and the title that stands in it."""
    if lines[0].rstrip() != "---":
        return 0, ""
    ends = (at for at, line in enumerate(lines[1:], 1) if line.rstrip() in ("---", "..."))
    end = next(ends, None)
    if end is None:
        return 0, ""
    titles = (found[1].strip("'\"") for line in lines[1:end] if (found := _FRONT_TITLE.match(line)))
    return end + 1, next(titles, "")


def _headings(lines: list[str], begin: int) -> Iterator[_Heading]:
    """The headings that stand in no list, quotation or code, as CommonMark has them."""
    tokens, reader = _HeadingTokens(), _reader()
    reader.block.parse("\n".join(lines[begin:]), reader, {}, tokens)
    for opening, content in zip(tokens[::2], tokens[1::2], strict=True):
        first, after = opening.map or (0, 0)
        if opening.level or after - first > 2:
            continue  # several lines above dashes: a rule is meant
        level = int(opening.tag.removeprefix("h"))
        yield _Heading(begin + first, begin + after, level, content.content)


class _HeadingTokens(list["Token"]):
    """Keeps headings, each before its text; tokens of all the rest would fill the memory."""

    def append(self, token: Token) -> None:
        is_text = token.type == "inline" and bool(self) and self[-1].type == "heading_open"
        if is_text or token.type == "heading_open":
            super().append(token)


@cache
def _reader() -> MarkdownIt:
    from markdown_it import MarkdownIt  # noqa: PLC0415 - a source that is only checked needs it not

    return MarkdownIt("commonmark")
