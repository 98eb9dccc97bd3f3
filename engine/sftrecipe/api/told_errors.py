"""Errors as a program gets them: the library's own, with what to do about them as a note."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from sftrecipe.errors import RecipeError, SftrecipeError, limit_reached, refused_by_system


@contextmanager
def told_errors() -> Iterator[None]:
    """Note places and hints on what is raised; what the system refuses is an SftrecipeError too."""
    try:
        yield
    except (RecipeError, SftrecipeError) as error:
        _note(error)
        raise
    except Exception as error:
        known = limit_reached(error) or refused_by_system(error)
        if known is None:
            raise
        _note(known)
        raise known from error


def _note(error: RecipeError | SftrecipeError) -> None:
    from sftrecipe.report.text.problem_text import render  # noqa: PLC0415 - when something is wrong

    problems = error.problems if isinstance(error, RecipeError) else [error.problem]
    text = render(problems)
    if text not in getattr(error, "__notes__", ()):
        error.add_note(text)
