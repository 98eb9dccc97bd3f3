"""Hugging Face data sets, on disk and on the hub."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from sftrecipe.plugin import (
    Context,
    InputPath,
    Inputs,
    MachineCheck,
    OptionFiles,
    OptionProblem,
    Record,
    Reject,
    Source,
    Texts,
    install_command,
)
from sftrecipe_registry.shared.models.installed_packages import package_check
from sftrecipe_registry.shared.readers.hugging_face import hub_rows, is_hub_name, saved_tables
from sftrecipe_registry.shared.readers.rows import found_rows
from sftrecipe_registry.shared.readers.table_files import FILE_REASONS

texts = Texts(__package__)


class HuggingFace(Source):
    """Read a Hugging Face data set: a `save_to_disk` folder, a copy of a hub's files, or the hub.

    A folder is read without the package `datasets` and without a network; the hub needs both, and
    what was downloaded once is read from its cache. Scripts of data sets are never run.
    """

    decides: ClassVar[Mapping[str, tuple[str, ...]]] = FILE_REASONS
    example: ClassVar[str] = "{use: huggingface, path: data/corpus, map: {text: article}}"

    path: InputPath | None = None
    """Folder of a saved data set."""
    name: str | None = None
    """Name on the hub, instead of `path`."""
    split: str = "train"
    """Which split is read."""
    subset: str | None = None
    """Which configuration of the data set is read."""
    revision: str | None = None
    """Commit, branch or tag on the hub; a commit makes a run repeatable."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Neither a folder nor a name, or both, or a name that is none."""
        if (self.path is None) == (self.name is None):
            yield OptionProblem((), texts("path-or-name"))
        if self.name is not None and not is_hub_name(self.name):
            yield OptionProblem(("name",), texts("not-on-hub", name=self.name))

    def check_machine(self) -> Iterator[MachineCheck]:
        """The library, for the hub."""
        if self.name is not None:
            command = f"{install_command()} 'sftrecipe[datasets]'"
            yield package_check("datasets", "datasets", command)

    def read(self, ctx: Context) -> Iterator[Record | Reject]:
        """The split's rows."""
        if self.path is None:
            name = self.name or ""
            rows = hub_rows(name, split=self.split, subset=self.subset, revision=self.revision)
            yield from found_rows(rows, f"{name}/{self.split}", ctx)
            return
        tables = saved_tables(ctx.path(self.path), self.path, self.split, self.subset, ctx)
        for found, shown in tables:
            yield from found_rows(found, shown, ctx)

    def peek(self, ctx: Context) -> Inputs:
        """Not known before the run: it takes heavy imports, or a network."""
        if self.path is not None:  # what is missing is told all the same
            folder = ctx.path(self.path)
            next(saved_tables(folder, self.path, self.split, self.subset, ctx), None)
        return None
