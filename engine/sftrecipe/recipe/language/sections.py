"""The sections of a recipe, a row each: how their blocks are written, what they read and make."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal, get_args

from sftrecipe.plugin.option_types import Described
from sftrecipe.recipe.language import keys

MIXED = "mix"
"""Name of the stream that a mix makes."""
HELD_OUT = "holdout"
"""Name of the stream of rows that the first exporter with a holdout keeps apart."""
OWN = "*"
"""In `Section.makes`: a stream that is named after its block."""

Reach = Literal["data", "train", "evaluate"]
"""How far a run goes: until data sets are written, a model is trained, models are judged."""
REACHES: tuple[Reach, ...] = get_args(Reach)


@dataclass(frozen=True)
class Section:
    """One section: its name, and what is the same for all of its blocks."""

    name: str
    kind: str
    """Of the plugins that its blocks use."""
    shape: type[Described]
    """The keys of a block."""
    form: Literal["named", "list", "single", "either"]
    """A mapping of blocks by their names, a list, one block, or `either` of the last two."""
    beside: bool = False
    """Whether the plugin's options stand beside `use`, not under `with`."""
    default_use: str | None = None
    reads: str | None = None
    """The key that names what a block reads."""
    reads_by_default: Literal["generated", "exported", "exports", "held out"] | None = None
    """What it reads where that key is left out: the streams of the generate blocks, what is
    exported, the exports themselves, or the stream `holdout`."""
    makes: str | None = None
    """The stream that begins with a block: `OWN`, or one that is named so in every recipe."""
    thins: bool = False
    """Whether a block leaves fewer rows in the streams that it reads."""
    reach: Reach | None = "data"
    """How far a run must go to come to its blocks; None: they are no steps of one."""
    result_named_after: Literal["block", "recipe"] | None = None
    """Whose name stands in the block's result, so that another one makes another result."""

    def takes(self, key: str) -> bool:
        """Whether its blocks have this key beside `use`, which is no option of the plugin."""
        return key in self.shape.model_fields

    def stream_of(self, block: str) -> str | None:
        """The stream that begins with the block of this id; None: with none of the section's."""
        return block if self.makes == OWN else self.makes


SECTIONS: Mapping[str, Section] = {
    section.name: section
    for section in (
        Section("providers", "provider", keys.ProviderShape, "named", beside=True, reach=None),
        Section(
            "sources", "source", keys.SourceShape, "named", beside=True,
            makes=OWN, result_named_after="block",
        ),
        Section(
            "generate", "generator", keys.GenerateShape, "list",
            reads="from", makes=OWN, result_named_after="block",
        ),
        Section(
            "filter", "filter", keys.FilterShape, "list",
            reads="on", reads_by_default="generated", thins=True,
        ),
        Section(
            "mix", "mixer", keys.MixShape, "single", beside=True, default_use="weights",
            makes=MIXED,
        ),
        Section(
            "export", "exporter", keys.ExportShape, "list",
            reads="from", reads_by_default="exported", makes=HELD_OUT, result_named_after="recipe",
        ),
        Section(
            "train", "trainer", keys.TrainShape, "either",
            reads="on", reads_by_default="exports", reach="train", result_named_after="block",
        ),
        Section(
            "evaluate", "judge", keys.EvaluateShape, "list",
            reads="on", reads_by_default="held out", reach="evaluate",
        ),
    )
}  # fmt: skip
"""All of them, in the order in which a run goes through them."""

SECTION_OF = {section.kind: section for section in SECTIONS.values()}
"""The section whose blocks use plugins of a kind."""
