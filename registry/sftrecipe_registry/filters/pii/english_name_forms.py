"""How names in Latin letters are written."""

# ruff: noqa: E501 - expressions are read whole
from __future__ import annotations

import re

UPPER = "A-ZÀ-ÖØ-ÞĀ-ɏḀ-ỿ"
LOWER = "a-zß-öø-ÿĀ-ɏḀ-ỿ"
_REST = rf"(?:['’][{UPPER}])?[{LOWER}]+(?:[A-Z][a-z]+)?(?:['’-][{UPPER}]?[{LOWER}]+)*"
CAP = rf"[{UPPER}]{_REST}"
"""A capitalised word: `O'Brien`, `McDonald`, `Zagórska`, `Maria-José`."""
MIDDLE = (
    r"(?:[A-Z]\.?|van|von|de|da|del|der|den|di|du|la|le|bin|ibn|bint|ben|al|el|dos|das|do|y|zu|zur"
    r"|ter|ten|af|av|Ní|Mac|St\.)"
)
TITLE = r"(?:Dr|Mr|Mrs|Ms|Miss|Mx|Prof|Professor|Doctor|Nurse|Officer|Constable|Detective|Coach|Sir|Madam)\.?"
HEAD = rf"[{UPPER}](?<![\w@./’-][{UPPER}])(?<!\w'[{UPPER}])"
"""A capital that begins a word; the look behind comes second, so that a search leaps to capitals."""
FULL = re.compile(
    rf"(?P<name>{HEAD}{_REST}(?:[ ]{{1,2}}(?:{MIDDLE}[ ]){{0,2}}{CAP}){{1,3}})(?![\w@])"
)
ONE = re.compile(rf"{CAP}(?:[ ](?:{MIDDLE}[ ]){{0,2}}{CAP}){{0,2}}")
PAIR = re.compile(rf"({HEAD}[{LOWER}]+)(?:-[A-Z][a-z]+)? (?:[A-Z]\.? )?([A-Z][a-zA-Z'’]*)")
CAPITALS = re.compile(
    rf"{HEAD}[A-ZÀ-Þ'’-]{{2,}}(?:,? [A-ZÀ-Þ][A-ZÀ-Þ'’-]{{2,}}(?![{LOWER}])(?: [A-ZÀ-Þ]{{3,}})?|, {CAP})"
    rf"(?![\w@])"
)
"""`PRAKASH VENKATARAMAN`, `DUBOIS, Aminata`."""
