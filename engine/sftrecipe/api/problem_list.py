"""What is wrong with a recipe, as a list that shows itself as `validate` prints it."""

from __future__ import annotations

from html import escape

from sftrecipe.errors import Problem, is_wrong


class ProblemList(list[Problem]):
    """The problems of a recipe in the order of the file; empty where there are none."""

    @property
    def is_wrong(self) -> bool:
        """Whether there is an error among them, not warnings alone."""
        return is_wrong(self)

    def __str__(self) -> str:
        from sftrecipe.report.text.problem_text import render  # noqa: PLC0415 - when it is shown

        return render(self) if self else "ok"

    __repr__ = __str__

    def _repr_html_(self) -> str:
        return f"<pre>{escape(str(self))}</pre>"
