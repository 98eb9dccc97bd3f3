"""Writes the table of characters that are only simplified or only traditional Chinese.

    uv pip install opencc-python-reimplemented
    python benchmarks/filters/han_variants.py registry/sftrecipe_registry/filters/language

From the character tables of OpenCC (Apache-2.0). A character that stands in both ways of writing
(后, 里, 台, 面) is in neither list.
"""

from __future__ import annotations

import sys
from importlib.resources import files
from pathlib import Path


def table(name: str) -> dict[str, list[str]]:
    """Character → what it becomes."""
    text = (files("opencc") / "dictionary" / name).read_text("utf-8")
    pairs = (line.split("\t") for line in text.splitlines() if "\t" in line)
    return {one: others.split() for one, others in pairs}


def only(own: dict[str, list[str]], other: dict[str, list[str]]) -> str:
    """Characters that change one way, never stay, and are nothing in the other way of writing."""
    change = {one for one, others in own.items() if one not in others and one not in other}
    return "".join(sorted(one for one in change if "\u4e00" <= one <= "\u9fff"))


def main() -> None:
    """Both lists, a line each."""
    simplified, traditional = table("STCharacters.txt"), table("TSCharacters.txt")
    lines = [only(simplified, traditional), only(traditional, simplified)]
    target = Path(sys.argv[1]) / "han_variants.txt"
    target.write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
