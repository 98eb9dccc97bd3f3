"""What the blocks read: files, columns, prompts, regular expressions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path as FilePath
from typing import Any

from sftrecipe.errors import Position, Problem, SftrecipeError, is_wrong, unknown
from sftrecipe.messages import error_text
from sftrecipe.plugin.base import Inputs, OptionFiles, Plugin
from sftrecipe.plugin.context import Context
from sftrecipe.plugin.data_notices import PASSED_OVER, told_texts
from sftrecipe.plugin.option_types import (
    ColumnMarker,
    FileMarker,
    PromptMarker,
    RegexMarker,
    marked,
)
from sftrecipe.plugin.plugin_kinds import UNNAMED, Filter, Generator, Mixer, Source
from sftrecipe.plugin.prompts.prompt import is_own, own_prompt
from sftrecipe.recipe.blocks import BlockDraft, crash_problem
from sftrecipe.recipe.checks.export_columns import SeenColumns, export_problems
from sftrecipe.recipe.checks.prompts import is_file, template_problems
from sftrecipe.recipe.checks.regexes import pattern_problem
from sftrecipe.recipe.presets.preset import Preset
from sftrecipe.recipe.reader.node import Node, Path, nearest, place_of, source_of
from sftrecipe.recipe.reader.paths import Roots, seen_from_presets, seen_twice
from sftrecipe.record import OF_TURNS, Columns, Record
from sftrecipe.turns.columns import read_columns, read_names
from sftrecipe.turns.conversation import looks_like_turns
from sftrecipe.turns.faults import UnreadTurn

MAX_TEMPLATE = 1_000_000
_MANY = 2000
"""Rows of a source that are read before it is said that none can be exported."""


class OptionCheck:
    """Checks what each block reads, in the order of the recipe."""

    def __init__(
        self,
        root: Node,
        roots: Roots,
        inputs: Mapping[BlockDraft, tuple[str, ...]],
        problems: list[Problem],
        language: str,
    ) -> None:
        self._language = language
        self._root = root
        self._roots = roots
        self._inputs = inputs
        self._problems = problems
        self._columns: dict[str, Inputs] = {}
        self.files: dict[BlockDraft, OptionFiles] = {}
        """The files of every block."""

    def check(self, drafts: Sequence[BlockDraft]) -> None:
        """Check every block whose plugin could be built."""
        for draft in drafts:
            before = len(self._problems)
            of_presets = seen_from_presets(draft.node, self._roots)
            paths = dict(self._files(draft))
            if draft.section.name == "train":  # whose arguments are not marked as paths
                for text, presets in seen_twice(draft.node, self._roots):
                    self._problems.append(_two_files(text.value, text.place, presets))
            known = {value: path for value, path in paths.items() if path}
            self.files[draft] = OptionFiles(known, of_presets)
            inputs = self.input_columns(draft)
            if draft.plugin is not None:
                self._check_options(draft, draft.plugin, inputs)
                if draft.whole and not is_wrong(self._problems[before:]):
                    self._ask_plugin(draft, draft.plugin, inputs)
            sound = draft.whole and not is_wrong(self._problems[before:])
            if stream := draft.section.stream_of(draft.id):
                self._columns[stream] = self._made_columns(draft, inputs, sound=sound)
        if not is_wrong(self._problems):
            self._problems += export_problems(
                self._root, drafts, self._inputs, self._columns, self._more_columns
            )

    def _files(self, draft: BlockDraft) -> Iterator[tuple[str, str]]:
        if draft.plugin is None:
            return
        sources: dict[str, Position] = {}
        for path, marker, value in marked(draft.plugin):
            if isinstance(marker, PromptMarker) and is_own(value):
                own = own_prompt(type(draft.plugin), value, self._language)
                if own is None:
                    place = place_of(self._root, (*draft.options, *path))
                    self._problems.append(Problem("missing-file", place, {"path": value}))
                else:
                    yield value, str(own)
                continue
            prompt = isinstance(marker, PromptMarker) and marker.file and is_file(value)
            if not (prompt or isinstance(marker, FileMarker)):
                continue
            place = place_of(self._root, (*draft.options, *path))
            source = source_of(self._root, (*draft.options, *path))
            folders = isinstance(marker, FileMarker) and marker.folder
            file = self._roots.checked(value, source, place, self._problems, folders=folders)
            presets = {self._roots.preset_of(each) for each in (source, sources.get(value, source))}
            if len(presets) > 1:
                self._problems.append(_two_files(value, place, presets))
                yield value, ""
                continue
            sources[value] = source
            if file is not None:
                yield value, str(file.absolute())

    def input_columns(self, draft: BlockDraft) -> Inputs:
        """Columns of all that a block reads; None where those of one stream are not known."""
        every: set[str] = set()
        names = self._inputs[draft]
        for name in names:
            columns = self._columns.get(name)
            if columns is None:
                return None
            every |= columns
        return frozenset(every) if names else None

    def preset_folder(self, draft: BlockDraft) -> FilePath | None:
        """The folder of the preset that has the block from it; None: the recipe's."""
        source = source_of(self._root, (*draft.path, "use"))
        return FilePath(source.path).parent if self._roots.preset_of(source) else None

    def source_rows(self, stream: str) -> int | None:
        """The most rows of a source; None: not known, as it asks a network, or many."""
        if self._columns.get(stream) is None:
            return None
        draft = next(each for each in self.files if each.section.stream_of(each.id) == stream)
        source = draft.plugin
        if not isinstance(source, Source):
            return None
        try:
            read = islice(source.read(self._context(draft)), _MANY)
            rows = sum(isinstance(row, Record) for row in read)
        except Exception:
            return source.sample  # the run tells what it is
        found = rows if rows < _MANY else None
        known = [each for each in (found, source.sample) if each is not None]
        return min(known, default=None)

    def _check_options(self, draft: BlockDraft, plugin: Plugin, inputs: Inputs) -> None:
        written = nearest(self._root, draft.options)
        for path, marker, value in marked(plugin):
            if not draft.whole and written.get(str(path[0])) is None:
                continue  # its default, which an option that is wrong may have been to replace
            place = place_of(self._root, (*draft.options, *path))
            if isinstance(marker, RegexMarker):
                problem = pattern_problem(value, place)
                self._problems.extend([problem] if problem else [])
            elif isinstance(marker, PromptMarker):
                self._check_prompt(draft, value, (*draft.options, *path), marker, inputs)
            elif isinstance(marker, ColumnMarker) and inputs is not None:
                in_turns = marker.in_turns or isinstance(plugin, Filter)
                known = inputs | OF_TURNS if in_turns and "messages" in inputs else inputs
                if value not in known:
                    self._problems.append(_unknown_column(value, known, place))

    def _check_prompt(
        self, draft: BlockDraft, value: str, path: Path, marker: PromptMarker, inputs: Inputs
    ) -> None:
        files, place = self.files[draft], place_of(self._root, path)
        text, shown, own = value, None, is_own(value)
        if own or (marker.file and is_file(value)):
            if value not in files.paths:
                return
            folder = FilePath(source_of(self._root, path).path).parent
            shown = files.paths[value] if own else str(folder / value)
            try:
                if FilePath(files.paths[value]).stat().st_size > MAX_TEMPLATE:
                    raise ValueError(f"larger than {MAX_TEMPLATE // 1_000_000} MB")
                text = files.text(value)
            except UnicodeDecodeError:
                values = {"path": value, "error": "not UTF-8"}
                self._problems.append(Problem("unreadable-file", place, values, "save-utf8"))
                return
            except (OSError, ValueError) as error:
                values = {"path": value, "error": getattr(error, "strerror", None) or str(error)}
                self._problems.append(Problem("unreadable-file", place, values))
                return
        beside = self._prompt_beside(draft, marker)
        self._problems.extend(
            template_problems(text, shown, place, marker, inputs, beside=beside, own=own)
        )

    def _prompt_beside(self, draft: BlockDraft, marker: PromptMarker) -> str:
        """The text of the other prompt of the same call; empty where there is none."""
        values = dict(draft.plugin) if marker.beside and draft.plugin else {}
        value = values.get(marker.beside or "")
        if not isinstance(value, str):
            return ""
        files = self.files[draft]
        try:
            return files.text(value) if value in files.paths else value
        except (OSError, ValueError):
            return ""

    def _ask_plugin(self, draft: BlockDraft, plugin: Plugin, inputs: Inputs) -> None:
        """What the plugin itself finds wrong with its options."""
        try:
            option_problems = list(plugin.problems(inputs, self.files[draft]))
        except Exception as error:
            self._problems.append(crash_problem(draft, self._root, error))
            return
        for problem in option_problems:
            path = (*draft.options, *problem.path)
            place = place_of(self._root, path, key=problem.at_key)
            values: dict[str, Any] = {"message": problem.message, "advice": problem.hint}
            hint = "advice" if problem.hint else None
            self._problems.append(Problem("option", place, values, hint, problem.severity))

    def _made_columns(self, draft: BlockDraft, inputs: Inputs, *, sound: bool) -> Inputs:
        """Columns of the stream that a block makes; None where they are not known."""
        plugin, place = draft.plugin, draft.place(self._root, "use")
        try:
            if isinstance(plugin, Source):
                return self._source_columns(draft, plugin) if sound else None
            if isinstance(plugin, Generator):
                return plugin.columns(inputs)
            return inputs if isinstance(plugin, Mixer) else None
        except SftrecipeError as error:
            self._problems.append(replace(error.problem, position=place))
        except Exception as error:
            values = {"source": draft.id, "error": error_text(error) or type(error).__name__}
            self._problems.append(
                Problem("source-unreadable", place, values)
                if isinstance(plugin, Source)
                else crash_problem(draft, self._root, error)
            )
        return None

    def _source_columns(self, draft: BlockDraft, source: Source) -> Inputs:
        context = self._context(draft)
        if outside := self._read_outside(draft, source):
            self._problems.append(outside)
            return None
        columns = source.peek(context)
        self._tell_passed_over(draft, context)
        self._tell_unnamed(draft, context)
        if columns is None:
            return None
        for new, old in source.map.items():
            if old not in columns:
                place = draft.place(self._root, "map", new)
                self._problems.append(_unknown_column(old, columns, place))
        return _mapped_names(columns, source)

    def _read_outside(self, draft: BlockDraft, source: Source) -> Problem | None:
        """The problem of a preset's source that goes to a file which no option names, as the
        project's catalogue, outside of the preset and of what options name."""
        used = source_of(self._root, (*draft.path, "use"))
        preset = self._roots.preset_of(used)
        if preset is None:
            return None
        files, folder = self.files[draft], FilePath(used.path).parent
        folders = [FilePath(path) for path in files.paths.values()]
        folders = [preset.folder, *(path if path.is_dir() else path.parent for path in folders)]
        read = source.depends_on(files, folder)
        also = source.looks_into(files, folder)
        for path in (*read, *also):
            if isinstance(path, FilePath) and not _is_below(path, folders):
                values = {"path": str(path), "preset": preset.name}
                return Problem("preset-path-outside", draft.place(self._root, "use"), values)
        return None

    def _more_columns(self, draft: BlockDraft) -> SeenColumns | None:
        """Columns of many rows of a source, for a problem that the first ones show."""
        source = draft.plugin
        assert isinstance(source, Source)  # noqa: S101 - of the section's blocks
        try:
            rows = list(islice(source.read(self._context(draft)), _MANY))
        except Exception:
            return None  # the run tells what it is
        return _seen_columns([row.columns for row in rows if isinstance(row, Record)], source)

    def _context(self, draft: BlockDraft) -> Context:
        folder = self.preset_folder(draft) or FilePath(self._root.place.path).parent
        return Context(draft.id, language=self._language, folder=folder, files=self.files[draft])

    def _tell_passed_over(self, draft: BlockDraft, context: Context) -> None:
        """The files that the source passes over; what else it tells, it tells of all rows."""
        told = {name: each for name, each in context.told.items() if name == PASSED_OVER}
        for text in told_texts(told):
            place = draft.place(self._root, "use")
            values = {"source": draft.id, "told": text}
            self._problems.append(Problem("source-note", place, values, severity="warning"))

    def _tell_unnamed(self, draft: BlockDraft, context: Context) -> None:
        """Columns that the source leaves out, as nobody named them."""
        names = [name for name in context.counts if name.startswith(UNNAMED)]
        if names:
            columns = ", ".join(f"'{name.removeprefix(UNNAMED)}'" for name in sorted(names))
            values: dict[str, object] = {"source": draft.id, "columns": columns}
            place = draft.place(self._root, "name")
            slug = "unnamed-column"
            self._problems.append(Problem(slug, place, values, slug, severity="warning"))


def _two_files(value: str, place: Position, presets: set[Preset | None]) -> Problem:
    preset = next(each for each in presets if each is not None)
    values = {"path": value, "preset": preset.name}
    return Problem("preset-two-files", place, values, "preset-own-name")


def _is_below(path: FilePath, folders: Sequence[FilePath]) -> bool:
    return any(path.resolve().is_relative_to(folder.resolve()) for folder in folders)


def _mapped_names(columns: frozenset[str], source: Source) -> frozenset[str]:
    return read_names((columns - frozenset(source.map.values())) | frozenset(source.map))


def _seen_columns(rows: Sequence[Columns], source: Source) -> SeenColumns:
    """What rows hold, under the names that the source gives them."""
    names, talked = _mapped_names(frozenset(name for row in rows for name in row), source), False
    values: dict[str, list[Any]] = {name: [] for name in names}
    for row in rows:
        new = {name: row.get(source.map.get(name, name)) for name in names}
        try:
            read = read_columns({**row, **new}, source.leave_out)
        except UnreadTurn:
            continue
        talked = talked or "messages" in read
        for name, value in new.items():
            values[name] += [] if value is None else [value]
    texts = {name for name, all_ in values.items() if all_ and all(type(v) is str for v in all_)}
    talks = {name for name, all_ in values.items() if all_ and all(map(looks_like_turns, all_))}
    return SeenColumns(
        names | ({"messages"} if talked else set()), frozenset(texts), frozenset(talks)
    )


def _unknown_column(name: str, known: frozenset[str], place: Position) -> Problem:
    return unknown("unknown-column", place, name, sorted(known), column=name)
