"""Rows with personal data: told, masked or dropped."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from sftrecipe.plugin import (
    Context,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Record,
    RowFilter,
    Texts,
    Verdict,
    install_command,
)
from sftrecipe_registry.filters.pii.personal_span import KINDS, Kind, PersonalSpan
from sftrecipe_registry.filters.pii.surrogates import Surrogates, veiled
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import CONTENT, Field, seen_columns

if TYPE_CHECKING:
    from sftrecipe_registry.filters.pii.personal_data import FindAll

texts = Texts(__package__)

_INSTALL = f"{install_command()} 'sftrecipe[pii]'"
_PACKAGE = "phonenumbers"
_UNTOUCHED = frozenset({"role", "id", "tool_call_id"})
"""By which results name their calls."""
_ALL = tuple(kind for kind in KINDS if kind != "url")


class Pii(RowFilter):
    """Find personal data; tell it, mask it, or drop the rows that hold it.

    Numbers count by their checksum, their form or a word that tells them (identity cards, IBANs,
    bank cards, SSNs, phones, records, insurances, passports, plates, WeChat, QQ), addresses
    by the words around them; names by those words, beside other personal data, in lists, and in
    short questions that ask for no knowledge. Hotlines, offices' mail, examples, the famous, code
    and sums are nobody's. Patterns find what is written in the usual
    way; they prove nothing absent. Rejects `personal_data` with how many pieces there are; the
    detail tells the kinds, never the data. A kept row has their number as score, 0 where it holds
    none; where it is only told, also the tag `personal_data` with the kinds and veiled values
    (`phone 1***8`).
    """

    version: ClassVar[str] = "3"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"personal_data": ("action", "kinds")}
    example: ClassVar[str] = "{use: pii, with: {kinds: [id_card, phone, email], action: mask}}"

    action: Literal["report", "mask", "drop"] = "report"
    """Keep the row as it is and tell what it holds, replace the data in it, or reject it. Only of a
    masked row the report's page and the terminal show no data: of the others they show the row."""
    kinds: tuple[Kind, ...] = _ALL
    """What is looked for; there is also `url`."""
    regions: tuple[str, ...] = ()
    """Countries (`JP`, `DE`, …) whose phones are found as they are written there too, without a
    word that tells them; needs the package phonenumbers. Chinese, North American and British ones,
    and any with a country's code, are found without."""
    mask: str = "[{kind}_{number}]"
    """What stands in its place: `{kind}` is the kind in capital letters, `{number}` the same for
    the same value in the whole row: `[PHONE_1]`."""
    field: Field = None
    """Columns to look at; left out: all that hold what is said, chat turns and history included."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; a mask of what there is not; regions that are none, or without the
        library."""
        if not self.kinds:
            yield OptionProblem(("kinds",), texts("no-kind"), ", ".join(KINDS))
        for name in re.findall(r"\{(\w*)\}", self.mask):
            if name not in ("kind", "number"):
                told = texts("unknown-in-mask", name=name)
                yield OptionProblem(("mask",), told, "{kind}, {number}")
        for place, region in enumerate(self.regions):
            if not (len(region) == 2 and region.isascii() and region.isupper()):
                told = texts("no-country-code", code=region)
                yield OptionProblem(("regions", place), told, texts("write-country-code"))
        if self.regions and find_spec(_PACKAGE) is None:
            yield OptionProblem(("regions",), texts("not-installed", package=_PACKAGE), _INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The library for phones."""
        if self.regions:
            yield package_check(_PACKAGE, "phonenumberslite", _INSTALL)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        find = ctx.once("find", self._find)
        names = [*self._columns(row.columns)]
        said = [text for name in names for text in _texts(row.columns[name])]
        found = find(said)
        counts = Counter(piece.kind for pieces in found for piece in pieces)
        if not counts:
            return Verdict(True, value=0)
        total = counts.total()
        told = ", ".join(f"{kind} {counts[kind]}" for kind in KINDS if counts[kind])
        if self.action == "drop":
            return Verdict(False, "personal_data", total, told)
        if self.action == "report":
            return Verdict(
                True, value=total, detail=told, tags={"personal_data": _shown(said, found)}
            )
        replaced = iter(self._masked(said, found))
        changes = {name: _with_texts(row.columns[name], lambda _: next(replaced)) for name in names}
        changed = {name: value for name, value in changes.items() if value != row.columns[name]}
        return Verdict(True, value=total, detail=told, changes=changed)

    def _find(self) -> FindAll:
        # hundreds of regular expressions: a recipe is checked without them
        from sftrecipe_registry.filters.pii.personal_data import personal_data  # noqa: PLC0415

        return personal_data(self.kinds, self.regions)

    def _columns(self, columns: Mapping[str, Any]) -> Iterator[str]:
        if self.field is None:
            return (name for name in CONTENT if columns.get(name))
        named = (self.field,) if isinstance(self.field, str) else self.field
        return (name for name in seen_columns(columns, named) if columns.get(name))

    def _masked(
        self, said: Sequence[str], found: Sequence[Sequence[PersonalSpan]]
    ) -> Iterator[str]:
        surrogates = Surrogates(self.mask)
        return (surrogates.masked(text, pieces) for text, pieces in zip(said, found, strict=True))


def _shown(said: Sequence[str], found: Sequence[Sequence[PersonalSpan]]) -> str:
    """Each value once, veiled: the row's tags are read where the row is not."""
    values = {
        f"{piece.kind} {veiled(text[piece.start : piece.end])}"
        for text, pieces in zip(said, found, strict=True)
        for piece in pieces
    }
    return ", ".join(sorted(values))


def _texts(value: Any) -> Iterator[str]:
    """Every text in a column's value; of chat turns all but the role and ids."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, dict):
        for key, item in value.items():
            if key not in _UNTOUCHED:
                yield from _texts(item)


def _with_texts(value: Any, change: Callable[[str], str]) -> Any:
    """The value with every text that `_texts` gives changed, in the same order."""
    if isinstance(value, str):
        return change(value)
    if isinstance(value, list | tuple):
        return [_with_texts(item, change) for item in value]
    if isinstance(value, dict):
        return {
            key: item if key in _UNTOUCHED else _with_texts(item, change)
            for key, item in value.items()
        }
    return value
