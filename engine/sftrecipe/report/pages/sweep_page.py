"""The page of a sweep: HTML with its style and its plot inside, no script, no request."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from markupsafe import Markup

from sftrecipe.report.pages.html_page import page_environment, shared_values
from sftrecipe.report.pages.run.drawings.numbers import fitted, ticks
from sftrecipe.report.pages.run.drawings.svg import circle, line, path, rect, svg, text
from sftrecipe.report.text.sweep_text import (
    short_number,
    sweep_cells,
    sweep_head,
    sweep_sentences,
    sweep_title,
    variant_label,
)
from sftrecipe.report.words.page_words import Words, sweep_words
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.sweep.sweep_facts import SweepFacts, VariantFacts

PAGE_FILE = "sweep.html"
_NUMBERS = range(1, 4)
"""Columns that are set to the right."""


_WIDTH, _HEIGHT = 720.0, 320.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 64.0, 700.0, 34.0, 262.0
_CAP, _DOT = 5.0, 4.5
_LETTER = 6.4
_MARGIN = 0.08
"""Room beyond the outermost points, as a part of the range."""


def write_sweep_page(facts: SweepFacts, out: OutputFolder, language: str) -> None:
    """Write the page. Raises SftrecipeError where that cannot be."""
    with out.create(PAGE_FILE) as file:
        file.write(sweep_page(facts, language).encode("utf-8", "replace"))


def sweep_page(facts: SweepFacts, language: str) -> str:
    """The page in a language (`zh`, else English), in the style of a run's page.

    Names and values are the user's text: they are escaped, and characters that a browser would obey
    are named instead. A Content Security Policy forbids scripts and requests.
    """
    words = sweep_words(language)
    return (
        page_environment()
        .get_template("sweep_page.html.j2")
        .render(
            facts=facts,
            w=words,
            page_title=words["page-title"].format(name=facts.name),
            title=sweep_title(facts, words),
            sentences=sweep_sentences(facts, words),
            head=sweep_head(words),
            lines=zip(facts.variants, sweep_cells(facts, words), strict=True),
            numbers=_NUMBERS,
            chart=sweep_chart(facts, words),
            **shared_values(language),
        )
    )


def sweep_chart(facts: SweepFacts, words: Words) -> Markup:
    """The plot; nothing where no variant has a figure.

    Where one number varies the variants stand at their values, else beside one another.
    """
    drawn = [each for each in facts.variants if each.figure is not None]
    if not drawn:
        return Markup("")
    frame = _ChartFrame(facts, drawn)
    parts = [
        *_band(facts, frame, words),
        *_axes(facts, frame, drawn, words),
        *_curve(facts, frame),
        *(part for each in drawn for part in _variant(each, facts, frame, words)),
        *_names(facts, frame, drawn, words),
    ]
    label = words["page-plot-label"].format(metric=facts.metric)
    return svg(_WIDTH, _HEIGHT, label, parts)


class _ChartFrame:
    """Where values are drawn."""

    def __init__(self, facts: SweepFacts, drawn: Sequence[VariantFacts]) -> None:
        self._scale = facts.scale
        self._places = {each.name: place for place, each in enumerate(drawn)}
        xs = [self.x_value(each) for each in drawn]
        ys = [end for each in drawn for end in _ends(each)]
        ys += [y for _, y in facts.optimum.curve] if facts.optimum else []
        self.x_range = _with_room(min(xs), max(xs))
        self.y_range = _with_room(min(ys), max(ys))

    def x_value(self, variant: VariantFacts) -> float:
        if self._scale is None:
            return float(self._places[variant.name])
        return self.scaled(self._scale.values[variant.name])

    def scaled(self, value: float) -> float:
        """A value of the number that varies, as the axis has it."""
        return log10(value) if self._scale and self._scale.logarithmic else value

    def x(self, value: float) -> float:
        low, high = self.x_range
        return _LEFT + (value - low) / (high - low) * (_RIGHT - _LEFT)

    def y(self, value: float) -> float:
        low, high = self.y_range
        return _BOTTOM - (value - low) / (high - low) * (_BOTTOM - _TOP)


def _with_room(low: float, high: float) -> tuple[float, float]:
    room = (high - low) * _MARGIN or max(abs(low) * _MARGIN, 0.5)
    return low - room, high + room


def _ends(variant: VariantFacts) -> list[float]:
    """All values that are drawn of a variant."""
    figures = [training.figure for training in variant.trainings]
    ends = (variant.figure, variant.low, variant.high, *figures)
    return [end for end in ends if end is not None]


def _band(facts: SweepFacts, frame: _ChartFrame, words: Words) -> Iterator[Markup]:
    """The best point's interval, where it lies inside the range."""
    if facts.optimum is None or facts.optimum.where != "inside":
        return
    at = facts.optimum.at
    low, middle, high = (frame.x(frame.scaled(each)) for each in (at.low, at.value, at.high))
    title = f"{short_number(at.value)} ({short_number(at.low)} – {short_number(at.high)})"
    yield rect(low, _TOP, max(high - low, 1), _BOTTOM - _TOP, "empty", title)
    yield line((middle, _TOP), (middle, _BOTTOM), "threshold")
    name = words["page-optimum"].format(at=title)
    side = "end" if middle > (_LEFT + _RIGHT) / 2 else "start"
    yield text(middle + (-6 if side == "end" else 6), _TOP - 8, name, f"mark {side}")


def _curve(facts: SweepFacts, frame: _ChartFrame) -> Iterator[Markup]:
    """The curve that was fitted, where it tells something."""
    if facts.optimum is None or facts.optimum.where == "unclear":
        return
    points = [(frame.x(frame.scaled(x)), frame.y(y)) for x, y in facts.optimum.curve]
    yield path("M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in points), "curve topic-2")


def _axes(
    facts: SweepFacts, frame: _ChartFrame, drawn: Sequence[VariantFacts], words: Words
) -> Iterator[Markup]:
    for tick in ticks(*frame.y_range, 5):
        y = frame.y(tick)
        yield line((_LEFT, y), (_RIGHT, y), "axis")
        yield text(_LEFT - 8, y + 4, short_number(tick), "tick end")
    if facts.scale is None:
        return
    for x, value in sorted(
        {(frame.x_value(each), facts.scale.values[each.name]) for each in drawn}
    ):
        yield text(frame.x(x), _BOTTOM + 18, short_number(value), "tick")
    label = facts.scale.label
    if facts.scale.ends:
        label = words["share-of"].format(key=label)
    yield text((_LEFT + _RIGHT) / 2, _BOTTOM + 40, fitted(label, 500, _LETTER), "tick")


def _variant(
    variant: VariantFacts, facts: SweepFacts, frame: _ChartFrame, words: Words
) -> Iterator[Markup]:
    assert variant.figure is not None  # noqa: S101 - only such are drawn
    x, y = frame.x(frame.x_value(variant)), frame.y(variant.figure)
    said = f"{variant_label(variant, words)}: {short_number(variant.figure)}"
    if variant.low is not None and variant.high is not None:
        said += f" ({short_number(variant.low)} – {short_number(variant.high)})"
        ends = frame.y(variant.low), frame.y(variant.high)
        yield line((x, ends[0]), (x, ends[1]), "whisker")
        for end in ends:
            yield line((x - _CAP, end), (x + _CAP, end), "whisker")
    if len(variant.trainings) > 1:
        for training in variant.trainings:
            if training.figure is not None:
                yield circle(x, frame.y(training.figure), 2.5, "point topic-6", training.folder)
    colour = "topic-1" if variant.name == facts.best else "topic-0"
    yield circle(x, y, _DOT, f"point {colour}", said)


def _names(
    facts: SweepFacts, frame: _ChartFrame, drawn: Sequence[VariantFacts], words: Words
) -> Iterator[Markup]:
    """The variants' values below their figures, where no axis tells them."""
    if facts.scale is not None:
        return
    room = (_RIGHT - _LEFT) / len(drawn)
    for place, each in enumerate(drawn):
        name = fitted(variant_label(each, words), room - 8, _LETTER)
        y = _BOTTOM + 18
        yield text(frame.x(place), y, name, "tick")
