"""The report of a run: a page of HTML with its style and drawings inside, no script, no request."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any

import orjson
from jinja2 import Environment
from markupsafe import Markup

from sftrecipe.messages import in_user_language, user_language
from sftrecipe.report.pages.html_page import page_environment, shared_values
from sftrecipe.report.pages.run.drawings.bars import account_bar, parts_bar, share_bar
from sftrecipe.report.pages.run.drawings.curves import Curve, curve_chart
from sftrecipe.report.pages.run.drawings.flow import flow_chart
from sftrecipe.report.pages.run.drawings.histogram_drawing import histogram_chart
from sftrecipe.report.pages.run.drawings.intervals import Bar, interval_chart
from sftrecipe.report.pages.run.drawings.numbers import number_text
from sftrecipe.report.pages.run.drawings.scatter import scatter_chart
from sftrecipe.report.pages.run.facts.judgings import FigureChart
from sftrecipe.report.pages.run.facts.run_facts import RunFacts, run_facts
from sftrecipe.report.pages.run.facts.texts import shortened
from sftrecipe.report.pages.run.facts.trainings import TrainedModel
from sftrecipe.report.text.text_format import money_text
from sftrecipe.report.words.page_words import Words, run_words
from sftrecipe.run.output_folder import REPORT_FILE
from sftrecipe.store.atomic_files import create
from sftrecipe.store.project import Project

_ERROR = 4000


def write_report(
    out: Path, project: Project, language: str | None = None, file: Path | None = None
) -> RunFacts:
    """Write the page of the run in `out`, into its folder or into `file`; its facts.

    The language is the recipe's unless one is given; the user's where it has none. Raises
    UsageError where there is no run, SftrecipeError when the page cannot be written.
    """
    facts = run_facts(out, project)
    page = run_page(facts, language or facts.head.language or user_language())
    folder, name = (out, REPORT_FILE) if file is None else (file.parent, file.name)
    with create(folder, name) as opened:
        opened.write(page.encode("utf-8", "replace"))
    return facts


def facts_json(facts: RunFacts) -> str:
    """The facts of a page as JSON."""
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2, default=str).decode()


def run_page(facts: RunFacts, language: str) -> str:
    """The page in a language (`zh`, else English).

    Rows, reasons and names are the user's text: they are escaped, and characters that a browser
    would obey are named instead. A Content Security Policy forbids scripts and requests.
    """
    words = run_words(language)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            facts=facts,
            head=facts.head,
            told=facts.head.told.get(language[:2]) or {},
            total=facts.total,
            w=words,
            say=partial(_say, words),
            bounds=partial(_bounds, words),
            sentence=lambda text: in_user_language(text, language[:2]),
            example_of=partial(_example, facts),
            sections=_sections(facts),
            widest=max((step.made for step in facts.funnel), default=0),
            **shared_values(language),
        )
    )


def _sections(facts: RunFacts) -> list[str]:
    """The sections that have something to tell, in the page's order."""
    told_of: dict[str, object] = {
        "graph": facts.graph.cards,
        "training": facts.trainings,
        "evaluation": facts.judgings,
        "funnel": facts.funnel,
        "rejects": facts.rejects,
        "scores": facts.scores,
        "lengths": facts.lengths,
        "scripts": facts.scripts,
        "topics": facts.topics,
        "duplicates": facts.near_duplicates,
        "tags": facts.tags,
        "mixture": facts.mixture,
        "spending": facts.spending,
        "trees": facts.trees,
        "samples": facts.samples,
        "about": True,
    }
    return [name for name, found in told_of.items() if found]


@cache
def _environment() -> Environment:
    made = page_environment(Path(__file__).with_name("templates"))
    drawings: tuple[Callable[..., Any], ...] = (
        account_bar, flow_chart, histogram_chart, parts_bar, scatter_chart, share_bar,
    )  # fmt: skip
    made.globals.update({each.__name__: each for each in drawings})
    made.globals.update(
        number=_number, measure=_measure, percent=_percent, money=money_text, duration=_duration,
        short=_short, figure_chart=_figure_chart, loss_chart=_loss_chart,
    )  # fmt: skip
    return made


def _say(words: Words, slug: str, /, **values: object) -> str:
    return words[slug].format(**values)


def _bounds(words: Words, limits: tuple[float, float | None]) -> str:
    """`54`, `54 to 108`, `54 or more`."""
    least, most = limits
    if most is None:
        return words["or-more"].format(low=_number(least))
    if least == most:
        return _number(least)
    return words["range"].format(low=_number(least), high=_number(most))


def _figure_chart(chart: FigureChart, label: str) -> Markup:
    """A judge's figures."""
    bars = [
        Bar(each.name, each.value, each.low, each.high, colour)
        for each, colour in zip(chart.bars, chart.colours, strict=True)
    ]
    return interval_chart(bars, label, chart.marks)


def _loss_chart(found: TrainedModel, words: Words) -> Markup:
    """The losses of a training, step by step."""
    curves = [
        Curve(words["loss-trained"], found.losses),
        Curve(words["loss-held-out"], found.held_out_losses, 1),
    ]
    return curve_chart(curves, words["loss-label"].format(name=found.id))


def _example(facts: RunFacts, topic: int) -> str:
    """The text of the row that is nearest to the middle of a topic."""
    assert facts.topics is not None  # noqa: S101 - its section is drawn
    middle = facts.topics.topics[topic]
    own = [point for point in facts.topics.points if point.topic == topic]
    nearest = min(own, key=lambda point: (point.x - middle.x) ** 2 + (point.y - middle.y) ** 2)
    return nearest.text


def _short(text: str, most: int = _ERROR) -> str:
    return shortened(text, most)


def _number(value: float) -> str:
    return f"{value:,.0f}"


def _measure(value: float | str | None) -> str:
    if isinstance(value, int | float):
        return number_text(value)
    return value or ""


def _percent(share: float) -> str:
    return f"{share:.0%}" if share in (0, 1) or share >= 0.1 else f"{share:.1%}"


def _duration(seconds: float) -> str:
    """`4.2 s`, `3:07 min`, `2:05 h`."""
    if seconds < 60:
        return f"{seconds:.1f} s"
    whole = round(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02} min"
    return f"{whole // 3600}:{whole % 3600 // 60:02} h"
