"""Rows of the ChatDoctor sets: one instruction for all, the patient's text, the doctor's."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from sftrecipe_registry.shared.readers.known_set import KnownSet, others, text_of

_USED = ("instruction", "input", "output")


class DoctorDialogue(KnownSet):
    """Rows with `instruction` (the same in all rows), `input` and `output`."""

    instruction: Literal["keep", "system", "drop"] = "keep"
    """What becomes of the instruction that all rows share: it stays, or it becomes the system
    prompt, or it goes; in the last two cases the patient's text becomes the instruction."""

    def shaped(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The row with its instruction where it was asked to be."""
        shared, asked = text_of(row, "instruction"), text_of(row, "input")
        columns = {"instruction": asked, "input": "", "output": text_of(row, "output")}
        if self.instruction == "keep":
            columns |= {"instruction": shared, "input": asked}
        elif self.instruction == "system":
            columns["system"] = shared
        yield columns | others(row, *_USED)
