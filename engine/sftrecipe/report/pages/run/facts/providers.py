"""The providers as the recipe names them, without their secrets."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.texts import cell_text, shortened
from sftrecipe.run.written_blocks import written_blocks

_TEXT = 200


@dataclass(frozen=True)
class AskedProvider:
    """A provider's block; `${env:NAME}` stands as it is written."""

    id: str
    use: str
    options: dict[str, str]


def providers(opened: OpenedRun) -> list[AskedProvider]:
    """The providers of the recipe, in its order."""
    return [
        AskedProvider(name, cell_text(block.get("use")), _options(block))
        for name, block in written_blocks(opened.document, "providers")
    ]


def _options(block: Any) -> dict[str, str]:
    return {
        name: shortened(cell_text(value), _TEXT) for name, value in block.items() if name != "use"
    }
