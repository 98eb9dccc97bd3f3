"""Magpie's choice of rows: by tags, rewards, neighbours, and the longest answers of the rest."""

from __future__ import annotations

import heapq
from array import array
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal

from annotated_types import Ge, Gt

from sftrecipe.plugin import (
    KEEP,
    Context,
    Filter,
    Inputs,
    OptionFiles,
    OptionProblem,
    PluginRefused,
    Record,
    Rows,
    Texts,
    Verdict,
)
from sftrecipe_registry.methods.magpie.labels import DIFFICULTIES, QUALITIES
from sftrecipe_registry.shared.text.row_text import answer_text, instruction_text

texts = Texts(__package__)

Preset = Literal["air", "pro", "notebook"]
Quality = Literal["very poor", "poor", "average", "good", "excellent"]
Difficulty = Literal["very easy", "easy", "medium", "hard", "very hard"]

_PRESETS: Mapping[Preset, Mapping[str, Any]] = {
    "air": {
        "least_quality": "good",
        "least_difficulty": "medium",
        "min_distance": 0.0,
        "min_gain": 0.0,
    },
    "pro": {"least_quality": "average", "min_distance": 0.0, "min_reward": -12.0},
    "notebook": {
        "least_quality": "good",
        "min_reward": -10.0,
        "no_repeats": True,
        "no_colon": True,
    },
}
_TOO_LOW = {
    "min_distance": "near_duplicate",
    "min_reward": "low_reward",
    "min_gain": "low_gain",
}
"""Reasons of the rules that ask for more than a number."""
_RULES = (
    "least_quality", "least_difficulty", "min_distance", "min_reward", "min_gain", "no_repeats",
    "no_colon",
)  # fmt: skip


class MagpieFilter(Filter):
    """Keep rows by Magpie's presets or by rules of one's own; the longest answers come last.

    It reads the tags of `magpie_tags`, the scores of `magpie_neighbours`, and rewards under the ids
    of the filters that gave them. Rejects: `untagged` (with the tag), `low_quality`, `too_easy`,
    `near_duplicate`, `low_reward`, `low_gain`, `repetition`, `ends_with_colon`, and `shorter` with
    the answer's length.
    """

    paper: ClassVar[str] = (
        "Magpie (arXiv 2406.08464), appendix on filter designs (τ₁ = -12, τ₂ = 0); `notebook`: "
        "`data_sft/data_filter.ipynb` of github.com/magpie-align/magpie"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "low_quality": ("preset", "least_quality"),
        "too_easy": ("preset", "least_difficulty"),
        "near_duplicate": ("preset", "min_distance"),
        "low_reward": ("preset", "min_reward"),
        "low_gain": ("preset", "min_gain"),
        "repetition": ("preset", "no_repeats"),
        "ends_with_colon": ("preset", "no_colon"),
        "untagged": (),
        "shorter": ("longest",),
    }
    example: ClassVar[str] = (
        "{use: magpie_filter, on: tagged, with: {preset: pro, reward: rated, longest: 300000}}"
    )

    preset: Preset | None = None
    """`air`: good, medium or harder, distance above 0, reward above the base model's; `pro`:
    average, distance above 0, reward above -12; `notebook`: good, reward above -10, no repetition,
    no colon at the end. What is set beside it comes before it."""
    least_quality: Quality | None = None
    """The lowest quality to keep."""
    least_difficulty: Difficulty | None = None
    """The lowest difficulty to keep."""
    min_distance: Annotated[float, Ge(0)] | None = None
    """Keep rows whose nearest neighbour is farther than this (squared distance)."""
    reward: str | None = None
    """Name of the answers' reward: the id of the filter that gave it."""
    min_reward: float | None = None
    """Keep rows with a reward above this, on the reward model's own scale (the paper's is
    FsfairX-LLaMA3-RM-v0.1)."""
    base_reward: str | None = None
    """Name of the reward of a base model's answer to the same instruction."""
    min_gain: float | None = None
    """Keep rows whose reward is above the base model's by more than this."""
    no_repeats: bool | None = None
    """Keep the first of rows that repeat one another."""
    no_colon: bool | None = None
    """Leave out instructions that end with a colon: something is missing after it."""
    longest: Annotated[int, Gt(0)] | None = None
    """Of what is left, keep so many rows with the longest answers (characters); of equal ones the
    first."""

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """No rule at all; rules about rewards that have no name."""
        rules = self._rules()
        if not rules and self.longest is None:
            yield OptionProblem((), texts("no-rule"), "preset: notebook")
        if {"min_reward", "min_gain"} & rules.keys() and self.reward is None:
            yield OptionProblem((), texts("reward-unnamed"), texts("name-reward"))
        if "min_gain" in rules and self.base_reward is None:
            yield OptionProblem((), texts("base-reward-unnamed"), texts("use-preset-pro"))

    def judge(self, rows: Rows, ctx: Context) -> Iterator[Verdict]:
        """Every row's verdict, in order. Raises PluginRefused where a row lacks a score."""
        rules = self._rules()
        if self.longest is None:
            yield from (self._verdict(row, rules) or KEEP for row in rows)
            return
        lengths = array("q")
        for row in rows:
            lengths.append(-1 if self._verdict(row, rules) else len(answer_text(row)))
        places = (place for place, length in enumerate(lengths) if length >= 0)
        kept = set(heapq.nsmallest(self.longest, places, key=lambda at: (-lengths[at], at)))
        for place, row in enumerate(rows):
            if place in kept:
                yield KEEP
            else:
                yield self._verdict(row, rules) or Verdict(False, "shorter", lengths[place])

    def _rules(self) -> dict[str, Any]:
        own = {name: getattr(self, name) for name in _RULES}
        preset = _PRESETS[self.preset] if self.preset else {}
        rules = {**preset, **{name: value for name, value in own.items() if value is not None}}
        return {name: value for name, value in rules.items() if value is not False}

    def _verdict(self, row: Record, rules: Mapping[str, Any]) -> Verdict | None:
        """Why not; None: all rules let it pass."""
        for name, limit in rules.items():
            if (verdict := self._rule_verdict(name, limit, row)) is not None:
                return verdict
        return None

    def _rule_verdict(self, name: str, limit: Any, row: Record) -> Verdict | None:
        """What one rule says."""
        if name == "least_quality":
            return _by_label(row, "quality", QUALITIES, limit, "low_quality")
        if name == "least_difficulty":
            return _by_label(row, "difficulty", DIFFICULTIES, limit, "too_easy")
        if name == "no_repeats":
            earlier = _score(row, "earlier_repeats")
            return Verdict(False, "repetition", earlier) if earlier else None
        if name == "no_colon":
            ends_open = instruction_text(row).rstrip().endswith((":", "："))
            return Verdict(False, "ends_with_colon") if ends_open else None
        measured = self._measured(name, row)
        return None if measured > limit else Verdict(False, _TOO_LOW[name], measured)

    def _measured(self, name: str, row: Record) -> float:
        if name == "min_distance":
            return _score(row, "min_neighbor_distance")
        reward = _score(row, str(self.reward))
        return reward if name == "min_reward" else reward - _score(row, str(self.base_reward))


def _by_label(
    row: Record, tag: str, scale: tuple[str, ...], least: str, reason: str
) -> Verdict | None:
    label = row.tags.get(tag)
    if label not in scale:
        return Verdict(False, "untagged", detail=tag)
    return Verdict(False, reason, detail=label) if scale.index(label) < scale.index(least) else None


def _score(row: Record, name: str) -> float:
    if name not in row.scores:
        raise PluginRefused(texts("no-row-score", row=row.id, score=name))
    return row.scores[name]
