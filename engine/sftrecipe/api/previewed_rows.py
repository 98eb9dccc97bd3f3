"""A few rows of every generate and filter block, for a look."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

from sftrecipe.recipe.recipe import CheckedRecipe
from sftrecipe.record import Record
from sftrecipe.report.text.row_text import preview_text
from sftrecipe.run.progress import Progress
from sftrecipe.run.rejects_file import RejectedRow
from sftrecipe.run.row_preview import Preview, preview_rows
from sftrecipe.store.project import project_of


@dataclass(frozen=True, repr=False)
class PreviewedRows:
    """What a preview made; shows itself as `preview` prints it."""

    preview: Preview

    @property
    def rows(self) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The rows' columns by stream, after the filters."""
        return {name: [dict(row.columns) for row in rows] for name, rows in self.records.items()}

    @property
    def records(self) -> Mapping[str, Sequence[Record]]:
        """The rows with ids, scores and all that is known of them, by stream."""
        return self.preview.rows

    @property
    def rejects(self) -> Sequence[RejectedRow]:
        """The rows that were lost, and why."""
        return self.preview.lost

    def __repr__(self) -> str:
        return preview_text(self.preview)

    def _repr_html_(self) -> str:
        return f"<pre>{escape(repr(self))}</pre>"


def previewed_rows(
    recipe: CheckedRecipe,
    count: int,
    progress: Progress,
    loop: Callable[[Coroutine[Any, Any, Preview]], Preview],
) -> PreviewedRows:
    """Make about `count` rows with every block. Raises what a run raises."""
    project = project_of(recipe.path)
    return PreviewedRows(loop(preview_rows(recipe, project, count, progress)))
