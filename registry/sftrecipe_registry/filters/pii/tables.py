"""Columns of tables in a text: what stands below a word that tells a kind."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from collections.abc import Iterator

from sftrecipe_registry.filters.pii.personal_span import Kind, ReadText

_HEADS: tuple[tuple[Kind, re.Pattern[str], re.Pattern[str]], ...] = (
    ("wechat", re.compile(r"(?i)微信|we ?chat|weixin"), re.compile(r"[A-Za-z][-_A-Za-z0-9]{4,19}")),
    ("qq", re.compile(r"(?i)qq"), re.compile(r"[1-9][0-9]{4,10}")),
    (
        "record_number",
        re.compile(
            r"(?i)病历|住院号|门诊号|病案|就诊卡|\bmrn\b|(?:chart|record|hospital|patient)[ _](?:no|num|id|#)"
        ),
        re.compile(r"(?=\D*\d\D*\d)[A-Za-z0-9/-]{4,20}"),
    ),
    (
        "insurance_number",
        re.compile(r"(?i)医保|社保|保单|参保|insurance|policy|member[ _]id|medicare|nino"),
        re.compile(r"(?=\D*\d\D*\d)[A-Za-z0-9 /-]{5,24}"),
    ),
    ("passport", re.compile(r"(?i)护照|passport"), re.compile(r"(?=\D*\d\D*\d)[A-Za-z0-9]{6,12}")),
    ("birth_date", re.compile(r"(?i)出生|生日|\bdob\b|birth"), re.compile(r"(?=\D*\d).{6,20}")),
    (
        "phone",
        re.compile(r"(?i)电话|手机|联系方式|phone|mobile|\btel\b|\bcell\b"),
        re.compile(r"[+(]?[0-9][0-9 ()+.-]{5,18}[0-9]"),
    ),
    (
        "plate",
        re.compile(r"(?i)车牌|plate|registration"),
        re.compile(r"(?=.*\d)[\u4e00-\u9fff]?[A-Z0-9·• -]{4,10}"),
    ),
    (
        "name",
        re.compile(
            r"(?i)^(?:full |patient |customer |employee |contact |guest |client |student )?name$|姓名|联系人|客户|患者|visitor|traveller|patient|employee|guest|passenger|tenant"
        ),
        re.compile(r"[\u4e00-\u9fff·]{2,4}|[A-Z][a-zà-ÿ'’-]+(?: [A-Z][a-zà-ÿ'’.-]*){1,3}"),
    ),
    ("address", re.compile(r"(?i)地址|住址|address"), re.compile(r"(?=.*\d).{6,80}")),
)
NAME_HEAD = re.compile(
    r"(?im)^[ \t]*\|?[ \t]*[\"*]*(?:[a-z]+ )?name[\"*]*[ \t]*[|,;\t]|姓名[ ]*[|,;\t]"
)
"""The head of a table whose first column is of names."""
_ROW = re.compile(r"^[ \t]*\|.*\|[ \t]*$|^[^\n|,;\t]*(?:[,;\t][^\n,;\t]*)+$", re.M)


def table_cells(read: ReadText) -> Iterator[tuple[Kind, int, int]]:
    """Cells below a head that tells a kind, in tables with bars, commas, semicolons or tabs; in
    those that have at least two such heads."""
    kinds: list[tuple[Kind, re.Pattern[str]] | None] = []
    mark = ""
    at = -2
    for row in _ROW.finditer(read.text):
        if row.start() > at + 1:
            mark = _mark(row[0])
            kinds = _kinds(row[0], mark)
        elif sum(map(bool, kinds)) >= 2 or _names_persons(kinds):
            yield from _cells(row, mark, kinds)
        at = row.end()


def _names_persons(kinds: list[tuple[Kind, re.Pattern[str]] | None]) -> bool:
    """Whether the first column is of names; in tables with bars it is the second."""
    return any(kind is not None and kind[0] == "name" for kind in kinds[:2])


def _mark(line: str) -> str:
    return max("|,;\t", key=line.count)


def _kinds(line: str, mark: str) -> list[tuple[Kind, re.Pattern[str]] | None]:
    heads = [head.strip(" *\"'") for head in line.split(mark)]
    if max(map(len, heads)) > 24:
        return []
    return [
        next(((kind, form) for kind, word, form in _HEADS if word.search(head)), None)
        for head in heads
    ]


def _cells(
    row: re.Match[str], mark: str, kinds: list[tuple[Kind, re.Pattern[str]] | None]
) -> Iterator[tuple[Kind, int, int]]:
    start = row.start()
    cells = row[0].split(mark)
    if len(cells) != len(kinds):
        return
    for cell, kind in zip(cells, kinds, strict=True):
        value = cell.strip(" \"'*")
        if kind and value and kind[1].fullmatch(value):
            low = start + cell.index(value)
            yield kind[0], low, low + len(value)
        start += len(cell) + len(mark)
