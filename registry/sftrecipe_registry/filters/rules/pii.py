"""Rows without personal data, or with it masked."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from importlib.util import find_spec
from typing import Any, ClassVar, Literal

from sftrecipe import KEEP, Context, Record, RowFilter, Verdict
from sftrecipe.kinds import Inputs, MachineCheck, OptionFiles, OptionProblem
from sftrecipe.options import ColumnName
from sftrecipe.plugin.environments import installer
from sftrecipe_registry.filters.rules.personal_data import KINDS, Found, Kind, masked, personal_data
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.text.row_text import CONTENT, seen_columns

_INSTALL = f"{installer()} 'sftrecipe[pii]'"
_PACKAGE = "phonenumbers"
_UNTOUCHED = frozenset({"role", "id", "tool_call_id"})
"""By which results name their calls."""

FindAll = Callable[[str], list[Found]]


class Pii(RowFilter):
    """Mask personal data, or drop the rows that hold it.

    Found are Chinese identity cards (by checksum, region and date of birth), bank cards (by
    checksum), phones (Chinese mobile and landline, any with `+` and a country's code), e-mail and
    web addresses, public IP addresses, and names behind words such as 姓名, 我叫, `my name is`.
    Patterns find what is written in the usual way; they prove nothing absent. Rejects
    `personal_data` with how many pieces there are; the detail tells the kinds, never the data. A
    masked row has their number as score.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"personal_data": ("action", "kinds")}
    example: ClassVar[str] = "{use: pii, with: {kinds: [id_card, phone, email], action: mask}}"

    action: Literal["mask", "drop"] = "mask"
    """Replace the data in the row, or reject the row."""
    kinds: tuple[Kind, ...] = ("id_card", "bank_card", "phone", "email", "ip", "name")
    """What is looked for; there is also `url`."""
    regions: tuple[str, ...] = ()
    """Countries (`US`, `GB`, …) whose phones are found as they are written there, without a
    country's code; needs the package phonenumbers."""
    mask: str = "[{kind}]"
    """What stands in its place; `{kind}` is the kind in capital letters, `[ID_CARD]`."""
    field: ColumnName | tuple[ColumnName, ...] | None = None
    """Columns to look at; left out: all that hold what is said, chat turns and history included."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Nothing to look for; regions that are none, or without the library."""
        if not self.kinds:
            yield OptionProblem(("kinds",), "filter 'pii' has no kind", f"{', '.join(KINDS)}")
        for place, region in enumerate(self.regions):
            if not (len(region) == 2 and region.isascii() and region.isupper()):
                told = f"'{region}' is no code of a country"
                yield OptionProblem(("regions", place), told, "two capital letters: US, GB, JP")
        if self.regions and find_spec(_PACKAGE) is None:
            yield OptionProblem(("regions",), "phonenumbers is not installed", _INSTALL)

    def check_machine(self) -> Iterator[MachineCheck]:
        """The library for phones."""
        if self.regions:
            yield package_check(_PACKAGE, "phonenumberslite", _INSTALL)

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        """The verdict on one row."""
        find = ctx.once("find", lambda: personal_data(self.kinds, self.regions))
        counts: Counter[str] = Counter()
        changes: dict[str, Any] = {}
        for name in self._columns(row.columns):
            value = row.columns[name]
            clean = self._clean(value, find, counts)
            if clean != value:
                changes[name] = clean
        if not counts:
            return KEEP
        total = counts.total()
        told = ", ".join(f"{kind} {counts[kind]}" for kind in KINDS if counts[kind])
        if self.action == "drop":
            return Verdict(False, "personal_data", total, told)
        return Verdict(True, value=total, detail=told, changes=changes)

    def _columns(self, columns: Mapping[str, Any]) -> Iterator[str]:
        if self.field is None:
            return (name for name in CONTENT if columns.get(name))
        named = (self.field,) if isinstance(self.field, str) else self.field
        return (name for name in seen_columns(columns, named) if columns.get(name))

    def _clean(self, value: Any, find: FindAll, counts: Counter[str]) -> Any:
        """The value with everything masked in its texts; of chat turns all but the role and ids."""
        if isinstance(value, str):
            found = find(value)
            counts.update(piece.kind for piece in found)
            return masked(value, found, self._mask) if found else value
        if isinstance(value, list | tuple):
            return [self._clean(item, find, counts) for item in value]
        if isinstance(value, dict):
            return {
                key: item if key in _UNTOUCHED else self._clean(item, find, counts)
                for key, item in value.items()
            }
        return value

    def _mask(self, kind: Kind) -> str:
        return self.mask.replace("{kind}", kind.upper())
