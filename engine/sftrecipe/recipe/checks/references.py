"""Names of blocks, and what they read: references go backwards only."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sftrecipe.errors import Position, Problem, unknown
from sftrecipe.plugin.option_types import StreamMarker, values_of
from sftrecipe.plugin.plugin_kinds import Exporter, Mixer
from sftrecipe.recipe.blocks import BlockDraft, crash_problem, of_section
from sftrecipe.recipe.checks.misplaced import has_unnamed_block, hides_a_section
from sftrecipe.recipe.language.sections import HELD_OUT, MIXED, OWN, SECTIONS
from sftrecipe.recipe.reader.node import Node, Path, place_of


class StreamCheck:
    """The streams of a recipe, in its order."""

    def __init__(self, root: Node, drafts: Sequence[BlockDraft], problems: list[Problem]) -> None:
        self._root = root
        self._drafts = drafts
        self._problems = problems
        self._sources = [draft.id for draft in of_section(drafts, "sources")]
        self._generated = [draft.id for draft in of_section(drafts, "generate")]
        self._exports = [draft.id for draft in of_section(drafts, "export")]
        self._makers: dict[str, BlockDraft] = {}
        for draft in drafts:
            if draft.section.makes == OWN:
                self._makers.setdefault(draft.id, draft)
        self._unsure = _has_nameless_makers(root, drafts) or has_unnamed_block(problems, "sources")

    def inputs(self) -> dict[BlockDraft, tuple[str, ...]]:
        """What every block reads; what it cannot read is left out, with a problem."""
        self._check_ids()
        return {draft: self._inputs(draft) for draft in self._drafts}

    def _check_ids(self) -> None:
        providers = of_section(self._drafts, "providers")
        for drafts in (providers, [draft for draft in self._drafts if draft not in providers]):
            first: dict[str, BlockDraft] = {}
            for draft in drafts:
                other = first.setdefault(draft.id, draft)
                if other is not draft:
                    key = "id" if draft.named and draft.section.form == "list" else "use"
                    line = place_of(self._root, other.path, key=True).line
                    values = {"id": draft.id, "line": line}
                    place = draft.place(self._root, key)
                    self._problems.append(Problem("repeated-id", place, values, "other-id"))
                    self._unsure = self._unsure or draft.section.makes == OWN

    def _inputs(self, draft: BlockDraft) -> tuple[str, ...]:
        names = self._read(draft)
        self._check_options(draft, names)
        return names

    def _read(self, draft: BlockDraft) -> tuple[str, ...]:
        if draft.section.reads is None:
            return self._wanted_streams(draft)
        named = draft.streams()
        if named is None:
            return self._read_by_default(draft)
        if draft.section.reads_by_default == "exports":
            return tuple(name for name, path in named if self._is_export(name, path))
        return tuple(name for name, path in named if self._readable(name, draft, path))

    def _read_by_default(self, draft: BlockDraft) -> tuple[str, ...]:
        match draft.section.reads_by_default:
            case "generated":
                return tuple(self._generated or self._sources)
            case "exported":
                return self._exported_streams(draft)
            case "exports":
                return tuple(self._exports)
            case "held out":
                return self._held_out_stream(draft)
        return ()

    def _exported_streams(self, draft: BlockDraft) -> tuple[str, ...]:
        """The mix, or else the streams that no generate block goes on from."""
        if of_section(self._drafts, "mix"):
            return (MIXED,)
        generators = of_section(self._drafts, "generate")
        read = {name for generator in generators for name, _ in generator.streams() or ()}
        names = tuple(name for name in self._generated or self._sources if name not in read)
        if not names:
            self._problems.append(Problem("nothing-to-export", draft.place(self._root)))
        return names

    def _held_out_stream(self, draft: BlockDraft) -> tuple[str, ...]:
        """The rows that an exporter keeps apart."""
        if self._holds_out():
            return (HELD_OUT,)
        if draft.plugin is not None:
            place, values = draft.place(self._root), {"use": draft.use}
            self._problems.append(Problem("nothing-to-judge", place, values, "hold-out"))
        return ()

    def _holds_out(self) -> bool:
        """Whether an exporter keeps rows apart; one that could not be built may."""
        exporters = [draft.plugin for draft in of_section(self._drafts, "export")]
        return any(not isinstance(each, Exporter) or each.holds_out() for each in exporters)

    def _is_export(self, name: str, path: Path) -> bool:
        """Whether an export block has this id; a problem where none has."""
        if name not in self._exports:
            place = place_of(self._root, path)
            self._problems.append(
                unknown("unknown-export", place, name, self._exports, export=name)
            )
        return name in self._exports

    def _wanted_streams(self, draft: BlockDraft) -> tuple[str, ...]:
        if not isinstance(draft.plugin, Mixer):
            return ()
        try:
            wanted = draft.plugin.wanted()
        except Exception as error:
            self._problems.append(crash_problem(draft, self._root, error))
            return ()
        return tuple(
            name for name in wanted if self._readable(name, draft, _key_of(draft, name), key=True)
        )

    def _check_options(self, draft: BlockDraft, read: Collection[str]) -> None:
        """The streams that options name: a filter, which compares rows with them, has others."""
        if draft.plugin is None:
            return
        for option, _, name in values_of(draft.plugin, StreamMarker):
            path = (*draft.options, *option)
            if draft.section.thins and name in read:
                place = place_of(self._root, path)
                values = {"stream": name, "id": draft.id}
                self._problems.append(Problem("own-stream", place, values))
            else:
                self._readable(name, draft, path)

    def _readable(self, name: str, draft: BlockDraft, path: Path, *, key: bool = False) -> bool:
        """Whether a stream stands before the block; a problem where it does not."""
        place = place_of(self._root, path, key=key)
        maker = self._makers.get(name)
        if maker is not None:
            return self._stands_before(maker, draft, place)
        if self._unsure:  # what it is called is not known, and told already
            return False
        known = [*self._sources, *self._generated]
        if draft.section.reads_by_default == "held out" and self._holds_out():
            if name == HELD_OUT:
                return True
            known.append(HELD_OUT)
        listed = [each.strip() for each in name.split(",")]
        if len(listed) > 1 and set(listed) <= set(known):
            values = {"stream": name, "suggestion": ", ".join(listed)}
            self._problems.append(Problem("unknown-stream", place, values, "write-list"))
            return False
        self._problems.append(unknown("unknown-stream", place, name, known, stream=name))
        return False

    def _stands_before(self, maker: BlockDraft, draft: BlockDraft, place: Position) -> bool:
        """Whether the maker of a stream stands before the block that reads it; a problem where it
        does not."""
        values: dict[str, object] = {"stream": maker.id}
        if maker is draft:
            self._problems.append(Problem("self-reference", place, values))
            return False
        if maker.section is not draft.section:
            return True
        if self._drafts.index(maker) < self._drafts.index(draft):
            return True
        values["line"] = place_of(self._root, maker.path).line
        self._problems.append(Problem("forward-reference", place, values, "move-up"))
        return False


def _has_nameless_makers(root: Node, drafts: Sequence[BlockDraft]) -> bool:
    """Whether a block makes a stream whose name cannot be told, since the block is wrong."""
    for section in (each for each in SECTIONS.values() if each.makes == OWN):
        node = root.get(section.name)
        if hides_a_section(root, section.name):
            return True
        found = of_section(drafts, section.name)
        blocks = len(node.value) if node and (node.is_mapping or node.is_list) else 0
        if node is not None and (len(found) < blocks or not (node.is_mapping or node.is_list)):
            return True
        if not all(draft.named for draft in found):
            return True
    return False


def _key_of(draft: BlockDraft, name: str) -> Path:
    """Where in a mixer's options a stream is named."""
    for key, item in draft.node.value.items():
        if item.is_mapping and name in item.value:
            return (*draft.path, key, name)
        if item.is_list:
            for index, entry in enumerate(item.value):
                if entry.value == name:
                    return (*draft.path, key, index)
    return draft.path
