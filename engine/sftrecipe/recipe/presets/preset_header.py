"""What the comments at the head of a preset tell: `# purpose: …`, `# needs.zh: …`, `# paper: …`."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path

_LINE = re.compile(r"#\s?(purpose|needs|cost|paper)(?:\.(zh))?\s?[:：]\s*(.+?)\s*")
_LINES = 80
_LONGEST = 500


@dataclass
class PresetHeader:
    """What a preset says of itself, in English and Chinese."""

    told: dict[str, str] = field(default_factory=dict)
    """By `purpose`, `needs`, `cost`, and these with `.zh`; `cost` is of a thousand rows."""
    papers: list[str] = field(default_factory=list)

    def text(self, key: str, language: str) -> str:
        """What it says under a key, in the language if it can."""
        own = self.told.get(f"{key}.zh") if language == "zh" else None
        return own or self.told.get(key) or self.told.get(f"{key}.zh") or ""


def preset_header(file: Path) -> PresetHeader:
    """The header of a preset: the comments before its first key.

    Each on a line; a line without a key goes on with the one before where it is indented. Raises
    OSError.
    """
    header, last = PresetHeader(), ""
    with file.open(encoding="utf-8-sig", errors="replace") as lines:
        for line in islice(lines, _LINES):
            text = line[: 2 * _LONGEST].strip()
            if text and not text.startswith("#"):
                break
            found = _LINE.fullmatch(text)
            if found is None:
                if last and text.startswith("#  "):
                    header.told[last] = f"{header.told[last]} {text[1:].strip()}"[:_LONGEST]
                else:
                    last = ""
                continue
            value = "".join(each for each in found[3] if each.isprintable())[:_LONGEST]
            last = ""
            if found[1] == "paper":
                header.papers.append(value)
            else:
                last = found[1] + (f".{found[2]}" if found[2] else "")
                header.told[last] = value
    return header
