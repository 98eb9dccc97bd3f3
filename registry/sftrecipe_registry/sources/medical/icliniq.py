"""iCliniq-10k."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Literal

from sftrecipe.plugin import Inputs, OptionFiles, OptionProblem, Texts
from sftrecipe_registry.shared.readers.known_set import KnownSet, others, text_of

texts = Texts(__package__)
Answer = Literal["icliniq", "chatgpt", "chatdoctor"]
_USED = ("input", "answer_icliniq", "answer_chatgpt", "answer_chatdoctor")


class Icliniq(KnownSet):
    """Read iCliniq-10k: patients' questions, each with the answers of a doctor and of two models.

    Nobody ranked the answers; `pairs` takes one as better than another because you say so.
    """

    paper: ClassVar[str] = "ChatDoctor (arXiv 2303.14070)"
    example: ClassVar[str] = "{use: icliniq, path: data/iCliniq.json, answer: icliniq}"

    answer: Answer = "icliniq"
    """Whose answer becomes the output: the doctor's, or one of the models'."""
    pairs: bool = False
    """Make preferences: the answer is chosen, the one of `against` rejected."""
    against: Answer = "chatdoctor"
    """Whose answer is rejected, with `pairs`."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """An answer against itself."""
        if self.pairs and self.answer == self.against:
            yield OptionProblem(("against",), texts("against-itself", answer=self.against))

    def shaped(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """The question with its answer, or with two."""
        columns = {"instruction": text_of(row, "input"), "input": ""}
        answer = text_of(row, f"answer_{self.answer}")
        if self.pairs:
            columns |= {"chosen": answer, "rejected": text_of(row, f"answer_{self.against}")}
        else:
            columns["output"] = answer
        yield columns | others(row, *_USED, "instruction")
