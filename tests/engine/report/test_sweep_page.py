"""The page of a sweep: names that a browser would obey, both languages, and a real browser."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.engine.report.chromium import browser, opened

from sftrecipe.report.pages.sweep_page import sweep_page
from sftrecipe.report.text.sweep_text import sweep_text
from sftrecipe.report.words import chinese, english
from sftrecipe.sweep.best_value import Optimum, Scale
from sftrecipe.sweep.more_trainings import MoreTrainings
from sftrecipe.sweep.statistics import Interval
from sftrecipe.sweep.sweep_facts import SweepFacts, TrainingFacts, VariantFacts

HOSTILE = "<script>alert(1)</script>\u202e&\"'"


def facts(**changes: object) -> SweepFacts:
    """A sweep over the share of `a`, best inside its range."""
    names = ("low", HOSTILE, "high")
    variants = [
        VariantFacts(
            name,
            {"mix.weights": {HOSTILE: share, "b": 1 - share}},
            [TrainingFacts(f"sweep/{name}", figure, cached=False, problem=None)],
            figure,
            figure - 0.2,
            figure + 0.2,
            chance,
            figure - 2.0,
            figure - 2.1,
            figure - 1.9,
        )
        for name, share, figure, chance in zip(
            names, (0.1, 0.4, 0.9), (3.0, 2.0, 4.0), (0.004, 0.996, 0.0), strict=True
        )
    ]
    standard: dict[str, object] = {
        "name": HOSTILE,
        "recipe": "recipe.yaml",
        "profile": None,
        "metric": "judged.loss",
        "goal": "lower",
        "verdict": "best",
        "best": HOSTILE,
        "variants": variants,
        "rows": 50,
        "lost": 0,
        "scale": Scale(
            "a",
            dict(zip(names, (0.1, 0.4, 0.9), strict=True)),
            ends=({"a": 0.1, "b": 0.9}, {"a": 0.9, "b": 0.1}),
        ),
        "optimum": Optimum("inside", Interval(0.45, 0.4, 0.5), ((0.1, 3.0), (0.45, 2), (0.9, 4))),
    }
    return SweepFacts(**(standard | changes))  # type: ignore[arg-type]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_users_name_is_text(language: str) -> None:
    page = sweep_page(facts(), language)
    assert "<script" not in page
    assert "\u202e" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not re.search(r"""(src|href)=["']?(https?:)?//""", page)
    assert "default-src 'none'" in page


def test_both_languages_say_the_same() -> None:
    def gaps(text: str) -> set[str]:
        return set(re.findall(r"{(\w+)}", text))

    assert english.SWEEP.keys() == chinese.SWEEP.keys()
    for name, text in english.SWEEP.items():
        assert gaps(text) == gaps(chinese.SWEEP[name]), name


def test_the_suggestion_and_how_sure_it_is() -> None:
    told = sweep_text(facts(), english.SWEEP)
    assert "best at a 0.45 (90 % interval: 0.4 to 0.5), which is the mix a 0.45, b 0.55." in told
    assert "(the best in >99 % of the draws)" in told
    assert "<1 %" in told  # not 0 %: it was the best of some draws
    assert "rows are few" not in told
    assert "20 rows are few" in sweep_text(facts(rows=20), english.SWEEP)


@pytest.mark.parametrize("verdict", ["best", "leading", "apart", "noise"])
def test_of_one_training_each_every_verdict_says_what_is_not_known(verdict: str) -> None:
    once = sweep_text(facts(verdict=verdict, noise="rows"), english.SWEEP)
    again = sweep_text(facts(verdict=verdict, noise="rows and trainings"), english.SWEEP)
    assert "the noise of rows" in once
    assert "the noise of rows" not in again
    assert "尚不可知" in sweep_text(facts(verdict="best", noise="rows"), chinese.SWEEP)


def test_how_many_trainings_would_tell_more() -> None:
    enough = MoreTrainings(7, 0.1234, suffices=True)
    told = sweep_text(facts(more_trainings=enough), english.SWEEP)
    assert "about 7 trainings of each (sweep.seeds) would tell a difference of 0.12, 4 ti" in told
    never = MoreTrainings(20, 0.5, suffices=False)
    told = sweep_text(facts(more_trainings=never), english.SWEEP)
    assert "even 20 trainings of each would tell no difference below 0.5" in told


def test_where_nothing_is_certain_no_curve_is_drawn() -> None:
    unclear = Optimum("unclear", Interval(0.45, 0.1, 0.9), ((0.1, 3.0), (0.9, 4)))
    page = sweep_page(facts(verdict="noise", optimum=unclear), "en")
    assert "No difference beyond noise" in page
    assert "cannot be told" in page
    assert 'class="curve' not in page
    assert 'class="curve' in sweep_page(facts(), "en")


def test_without_any_figure_there_is_no_plot() -> None:
    failed = VariantFacts("one", {"seed": 1}, [TrainingFacts("sweep/one", None, False, "it broke")])
    changes = {"variants": [failed], "best": None, "rows": 0, "scale": None, "optimum": None}
    page = sweep_page(facts(verdict="nothing", **changes), "en")
    assert "failed: it broke" in page
    assert "<svg" not in page


@pytest.mark.heavy
async def test_in_a_browser(tmp_path: Path) -> None:
    async with browser(tmp_path / "profile") as tab:
        for language in ("en", "zh"):
            page = tmp_path / f"{language}.html"
            page.write_text(sweep_page(facts(), language), encoding="utf-8")
            for width in (1280, 400):
                for dark in (False, True):
                    seen = await opened(tab, page, width=width, dark=dark)
                    assert seen.requests == [page.as_uri()]
                    assert seen.messages == []
                    assert seen.overflow == 0
