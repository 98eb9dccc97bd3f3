"""A recipe as Python programs and notebooks use it."""

from __future__ import annotations

import operator
import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self, TypeVar, Union

from sftrecipe.api.problem_list import ProblemList
from sftrecipe.api.python_document import python_document, text_of_variable
from sftrecipe.api.recipe_terms import RecipeTerms
from sftrecipe.api.told_errors import told_errors
from sftrecipe.recipe.language.sections import REACHES, Reach
from sftrecipe.recipe.recipe import FROM_PYTHON, CheckedRecipe

if TYPE_CHECKING:
    from sftrecipe.api.background_work import BackgroundWork
    from sftrecipe.api.planned_run import PlannedRun
    from sftrecipe.api.prepared_run import RunTerms
    from sftrecipe.api.previewed_rows import PreviewedRows
    from sftrecipe.api.progress_events import ProgressEvent
    from sftrecipe.api.run_results import Run
    from sftrecipe.api.training_check import TrainingCheck
    from sftrecipe.run.progress import Progress

Source = str | os.PathLike[str]
Plain = str | int | float | bool | os.PathLike[str]
Listener = Union[bool, "Callable[[ProgressEvent], object]", None]
"""Who hears of progress: nobody, True a terminal or notebook, or a function."""
Result = TypeVar("Result")


class Recipe:
    """A recipe and the terms on which it is used; a file is read anew whenever something is asked
    of it."""

    def __init__(self, terms: RecipeTerms) -> None:
        if not isinstance(terms, RecipeTerms):
            raise TypeError("Recipe.load(…) reads a recipe's file or mapping")
        self._terms = terms

    @classmethod
    def load(
        cls,
        recipe: Source | Mapping[str, Any],
        *,
        profile: str | None = None,
        set: Mapping[str, Plain] | None = None,
        allow: Iterable[str] = (),
        allow_paths: Iterable[Source] = (),
        allow_keys: Mapping[str, str] | Iterable[tuple[str, str]] = (),
        folder: Source | None = None,
    ) -> Self:
        """A recipe by its file, or written as a mapping whose paths start at `folder`.

        `set` replaces variables of the recipe's `vars`; `allow` are words of permissions, kept for
        the next time, `allow_paths` folders beside the recipe's own that it may read, `allow_keys`
        hosts by the environment variable that may be sent there. `folder`: the working directory
        unless given; of a mapping only. Raises RecipeError where there is no such file, or what it
        holds is no YAML; other mistakes are told by `validate`, and raised by all that needs a
        recipe without them.
        """
        keys = allow_keys.items() if isinstance(allow_keys, Mapping) else allow_keys
        said: dict[str, Any] = {
            "profile": profile,
            "variables": {name: text_of_variable(name, each) for name, each in (set or {}).items()},
            "allow_paths": tuple(map(Path, _listed(allow_paths))),
            "allow_keys": tuple((name, host) for name, host in keys),
            "allow": tuple(_listed(allow)),
        }
        with told_errors():
            if isinstance(recipe, Mapping):
                home = Path(folder or "").absolute()
                written = python_document(recipe, home)
                return cls(RecipeTerms(home / FROM_PYTHON, **said, written=written))
            if folder is not None:
                raise TypeError("folder: a recipe's file says where its paths start")
            terms = RecipeTerms(Path(recipe), **said)
            terms.check_file()
            return cls(terms)

    @property
    def path(self) -> Path | None:
        """Its file; None where a program wrote it."""
        return None if self._terms.written else self._terms.path

    @property
    def name(self) -> str:
        """Its name, as far as that can be read."""
        return self._terms.name()

    def validate(self) -> ProblemList:
        """All that is wrong with it, at once, in the order of the file: nothing is asked, nothing
        spent. Under any of its profiles where none is named. Empty where all is right."""
        with told_errors():
            return ProblemList(self._terms.problems())

    def check(self) -> CheckedRecipe:
        """The recipe as the engine sees it. Raises RecipeError with all its problems."""
        with told_errors():
            return self._terms.checked()

    def plan(self, *, to: Reach | None = None, out: Source | None = None) -> PlannedRun:
        """The steps that a run would take, cached or stale and why, with calls, tokens and cost.

        Asks no model. Raises RecipeError, SftrecipeError.
        """
        from sftrecipe.api.planned_run import planned_run  # noqa: PLC0415

        with told_errors():
            checked = self._terms.checked(keys_later=True)
            return planned_run(checked, to, _path(out))

    def preview(self, n: int = 3, *, progress: Listener = None) -> PreviewedRows:
        """About `n` rows of every generate and filter block; replies go into the ledger.

        Raises RecipeError, SftrecipeError.
        """
        from sftrecipe.api.previewed_rows import previewed_rows  # noqa: PLC0415

        def part(work: BackgroundWork[PreviewedRows], shown: Progress) -> PreviewedRows:
            return previewed_rows(self.check(), n, shown, work.loop)

        return _begun(part, progress).result(_hearer(progress))

    def run(
        self,
        *,
        progress: Listener = None,
        out: Source | None = None,
        to: Reach | None = None,
        concurrency: int | None = None,
        retry_failed: bool = False,
        take_over: bool = False,
        locked: bool = False,
    ) -> Run:
        """Make the data; where it has `evaluate` blocks, also train and judge. What is done already
        is not done again.

        Works in a notebook too, whose event loop runs: it has a thread of its own. `progress`: None
        shows nothing, True shows it on stderr, a function is called with every event (of
        `sftrecipe.api.progress_events`); what it raises ends the run in order, as Ctrl-C does, and
        the next run goes on from there. `out`: the output folder, `runs/NAME` of the project unless
        given; `to`: how far; `concurrency`: calls in flight; `retry_failed`: ask again for rows
        whose calls failed; `take_over`: replace what another recipe left in the output folder;
        `locked`: refuse where the recipe drifted from its lock, fail where the data does.
        Raises RecipeError, SftrecipeError: what the run came to by then is `Run.open(out)`.
        """
        terms = _run_terms(
            out, to, concurrency, retry_failed=retry_failed, take_over=take_over, locked=locked
        )
        return self._running(terms, progress).result(_hearer(progress))

    async def arun(
        self,
        *,
        progress: Listener = None,
        out: Source | None = None,
        to: Reach | None = None,
        concurrency: int | None = None,
        retry_failed: bool = False,
        take_over: bool = False,
        locked: bool = False,
    ) -> Run:
        """The same without holding up the event loop that it is awaited in; cancelled, it ends in
        order first."""
        terms = _run_terms(
            out, to, concurrency, retry_failed=retry_failed, take_over=take_over, locked=locked
        )
        return await self._running(terms, progress).awaited(_hearer(progress))

    def check_training(self, *, out: Source | None = None, probe: bool = False) -> TrainingCheck:
        """What its trainings would fail on or suffer from, and what they will take; with `probe` by
        a few real steps. Raises RecipeError, SftrecipeError."""
        from sftrecipe.api.training_check import checked_training  # noqa: PLC0415

        def part(work: BackgroundWork[TrainingCheck], shown: Progress) -> TrainingCheck:
            checked = self._terms.checked(keys_later=True)
            loop = work.loop if probe else None
            return checked_training(checked, _path(out), probe=loop, say=shown.line)

        return _begun(part, None).result(_hearer(None))

    def __repr__(self) -> str:
        said = [str(self.path) if self.path else f"<{self.name}>"]
        said += [f"profile={self._terms.profile!r}"] if self._terms.profile else []
        said += [f"set={dict(self._terms.variables)}"] if self._terms.variables else []
        return f"Recipe({', '.join(said)})"

    def _running(self, terms: RunTerms, progress: Listener) -> BackgroundWork[Run]:
        from sftrecipe.api.prepared_run import prepared_run  # noqa: PLC0415
        from sftrecipe.api.run_results import Run  # noqa: PLC0415

        def part(work: BackgroundWork[Run], shown: Progress) -> Run:
            prepared = prepared_run(self.check(), terms)
            for notice in prepared.notices:
                shown.line(notice.text)
            outcome = prepared.execute(shown, work.loop, shown.line)
            prepared.conclude(shown.line)
            notices = [notice.text for notice in prepared.notices]
            return Run.of(outcome, prepared.project, notices)

        return _begun(part, progress)


def _begun(
    part: Callable[[BackgroundWork[Result], Progress], Result], progress: Listener
) -> BackgroundWork[Result]:
    """Work that shows its progress where that is wanted, not yet started."""
    from sftrecipe.api.background_work import BackgroundWork  # noqa: PLC0415
    from sftrecipe.api.progress_events import shown_progress  # noqa: PLC0415

    def work(background: BackgroundWork[Result]) -> Result:
        with told_errors(), shown_progress(progress, background.send) as shown:
            return part(background, shown)

    return BackgroundWork(work)


def _hearer(progress: Listener) -> Callable[[ProgressEvent], object]:
    return progress if callable(progress) else lambda _: None


def _run_terms(
    out: Source | None,
    to: Reach | None,
    concurrency: int | None,
    *,
    retry_failed: bool,
    take_over: bool,
    locked: bool,
) -> RunTerms:
    from sftrecipe.api.prepared_run import RunTerms  # noqa: PLC0415

    if concurrency is not None and operator.index(concurrency) < 1:
        raise ValueError("concurrency: at least 1")
    if to is not None and to not in REACHES:
        raise ValueError(f"to: one of {', '.join(REACHES)}")
    return RunTerms(_path(out), to, concurrency, retry_failed, take_over, locked)


def _path(path: Source | None) -> Path | None:
    return None if path is None else Path(path)


def _listed(given: Iterable[Any]) -> Iterable[Any]:
    """One word or folder is meant as one, not as its letters."""
    return [given] if isinstance(given, str | os.PathLike) else given
