"""Names of blocks, and what they read: references go backwards only."""

from __future__ import annotations

from collections.abc import Sequence

from sftrecipe.errors import Problem, unknown
from sftrecipe.plugin.option_types import StreamMarker, values_of
from sftrecipe.plugin.plugin_kinds import Exporter, Mixer
from sftrecipe.recipe.blocks import BlockDraft, crashed
from sftrecipe.recipe.language.sections import HELD_OUT, MIXED, SECTIONS
from sftrecipe.recipe.reader.node import Node, Path, place_of
from sftrecipe.recipe.recipe import Block, CheckedRecipe


def stream_makers(recipe: CheckedRecipe) -> dict[str, Block]:
    """Every stream that the recipe can make, with the block that makes it."""
    mix = [recipe.mix] if recipe.mix else []
    makers: dict[str, Block] = {}
    for block in (*recipe.sources.values(), *recipe.generate, *mix, *recipe.export):
        stream = SECTIONS[block.section].stream_of(block.id)
        if stream is not None and _holds_out(block):
            makers.setdefault(stream, block)
    return makers


def _holds_out(block: Block) -> bool:
    """Whether an export keeps rows apart; other blocks have no choice."""
    return not isinstance(block.plugin, Exporter) or block.plugin.holds_out()


def thinned_streams(block: Block) -> tuple[str, ...]:
    """The streams that a block leaves with fewer rows than it read."""
    return block.inputs if SECTIONS[block.section].thins else ()


class StreamCheck:
    """The streams of a recipe, in its order."""

    def __init__(self, root: Node, drafts: Sequence[BlockDraft], problems: list[Problem]) -> None:
        self._root = root
        self._drafts = drafts
        self._problems = problems
        self.sources = [draft.id for draft in drafts if draft.section.name == "sources"]
        self.generated = [draft.id for draft in drafts if draft.section.name == "generate"]
        self._made_at = {
            draft.id: draft for draft in drafts if draft.section.name in ("sources", "generate")
        }

    def inputs(self) -> dict[BlockDraft, tuple[str, ...]]:
        """What every block reads; what it cannot read is left out, with a problem."""
        self._check_ids()
        return {draft: self._inputs(draft) for draft in self._drafts}

    def exported(self) -> tuple[str, ...]:
        """What is exported: the mix, or else the streams that no generate block goes on from."""
        if any(draft.section.name == "mix" for draft in self._drafts):
            return (MIXED,)
        generators = [draft for draft in self._drafts if draft.section.name == "generate"]
        read = {name for draft in generators for name, _ in draft.streams() or ()}
        return tuple(name for name in self.generated or self.sources if name not in read)

    def _check_ids(self) -> None:
        first: dict[tuple[str, str], BlockDraft] = {}
        for draft in self._drafts:
            space = "providers" if draft.section.name == "providers" else "steps"
            other = first.setdefault((space, draft.id), draft)
            if other is draft:
                continue
            key = "id" if draft.named and draft.section.form == "list" else "use"
            line = place_of(self._root, other.path, key=True).line
            values = {"id": draft.id, "line": line}
            self._problems.append(Problem("repeated-id", draft.place(self._root, key), values))

    def _inputs(self, draft: BlockDraft) -> tuple[str, ...]:
        self._check_options(draft)
        section, named = draft.section.name, draft.streams()
        if section == "mix":
            return self._mixed(draft)
        if section == "train":
            return self._trained_on(draft, named)
        if named is None:
            return self._read_by_default(draft)
        return tuple(name for name, path in named if self._readable(name, draft, path))

    def _read_by_default(self, draft: BlockDraft) -> tuple[str, ...]:
        section = draft.section.name
        found: tuple[str, ...] = ()
        if section == "filter":
            found = tuple(self.generated or self.sources)
        elif section == "export":
            found = self.exported()
            if not found:
                self._problems.append(Problem("nothing-to-export", draft.place(self._root)))
        elif section == "evaluate":
            found = (HELD_OUT,) if self._holds_out() else ()
            if not found and draft.plugin is not None:
                values = {"use": draft.use}
                place = draft.place(self._root)
                self._problems.append(Problem("nothing-to-judge", place, values, "hold-out"))
        return found

    def _holds_out(self) -> bool:
        """Whether an exporter keeps rows apart; one that could not be built may."""
        exporters = [draft.plugin for draft in self._drafts if draft.section.name == "export"]
        return any(not isinstance(each, Exporter) or each.holds_out() for each in exporters)

    def _trained_on(
        self, draft: BlockDraft, named: Sequence[tuple[str, Path]] | None
    ) -> tuple[str, ...]:
        exports = [each.id for each in self._drafts if each.section.name == "export"]
        if named is None:
            return tuple(exports)
        for name, path in named:
            if name not in exports:
                place = place_of(self._root, path)
                self._problems.append(unknown("unknown-export", place, name, exports, export=name))
        return tuple(name for name, _ in named if name in exports)

    def _mixed(self, draft: BlockDraft) -> tuple[str, ...]:
        if not isinstance(draft.plugin, Mixer):
            return ()
        try:
            wanted = draft.plugin.wanted()
        except Exception as error:
            self._problems.append(crashed(draft, self._root, error))
            return ()
        return tuple(
            name for name in wanted if self._readable(name, draft, _key_of(draft, name), key=True)
        )

    def _check_options(self, draft: BlockDraft) -> None:
        if draft.plugin is None:
            return
        for path, _, name in values_of(draft.plugin, StreamMarker):
            self._readable(name, draft, (*draft.options, *path))

    def _readable(self, name: str, draft: BlockDraft, path: Path, *, key: bool = False) -> bool:
        """Whether a stream stands before the block; a problem where it does not."""
        place = place_of(self._root, path, key=key)
        maker = self._made_at.get(name)
        values: dict[str, object] = {"stream": name}
        if maker is not None:
            if draft.section.name != "generate" or maker.section.name == "sources":
                return True
            mine, other = self._drafts.index(draft), self._drafts.index(maker)
            if other < mine:
                return True
            if other == mine:
                self._problems.append(Problem("self-reference", place, values))
                return False
            values["line"] = place_of(self._root, maker.path).line
            self._problems.append(Problem("forward-reference", place, values, "move-up"))
            return False
        known = [*self.sources, *self.generated]
        if draft.section.name == "evaluate" and self._holds_out():
            if name == HELD_OUT:
                return True
            known.append(HELD_OUT)
        self._problems.append(unknown("unknown-stream", place, name, known, stream=name))
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
