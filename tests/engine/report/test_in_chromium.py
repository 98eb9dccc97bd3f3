"""The page in a real browser: no request, no message, no script, as wide as the window."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from tests.engine.report.chromium import Opened, browser, opened
from tests.engine.report.judged import Judged
from tests.engine.report.test_page import OPTIONS, hostile_project, sftrecipe
from tests.support.standin import stand_in
from tests.support.standin_runs import Whole

pytestmark = pytest.mark.heavy
OPEN_ALL = "(document.querySelectorAll('details').forEach(each => each.open = true), %s)"


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[object]:
    async with browser(tmp_path / "profile") as commands:
        yield commands


def still(seen: Opened, page: Path) -> None:
    """The page asked for nothing but itself, said nothing, and fits the window."""
    assert seen.requests == [page.as_uri()]
    assert seen.messages == []
    assert seen.overflow == 0


async def test_every_theme_language_and_width(tmp_path: Path, tab: object) -> None:
    with stand_in(*OPTIONS) as server:
        whole = Whole(tmp_path / "whole", server.url)
        whole.run()
    pictures = set()
    for language in ("en", "zh"):
        page = tmp_path / f"{language}.html"
        sftrecipe(whole.folder, "report", "whole", "--lang", language, "--out", str(page))
        for width in (1280, 400):
            for dark in (False, True):
                asked = OPEN_ALL % (
                    "{lang: document.documentElement.lang,"
                    " back: getComputedStyle(document.body).backgroundColor}"
                )
                seen = await opened(tab, page, width=width, dark=dark, ask=asked)
                still(seen, page)
                assert seen.facts["asked"]["lang"] == ("zh-CN" if language == "zh" else "en")
                red = int(seen.facts["asked"]["back"].partition("(")[2].partition(",")[0])
                assert (red < 60) == dark
                pictures.add(seen.picture)
    assert len(pictures) == 8


async def test_what_was_trained_and_judged(tmp_path: Path, tab: object) -> None:
    with stand_in() as one, stand_in("--words", 8) as other:
        project = Judged(tmp_path / "judged", one.url, other.url)
        assert project.command("run", "recipe.yaml").returncode == 0
    page = project.out / "report.html"
    drawn = "[...document.querySelectorAll('#training svg, #evaluation svg')].length"
    for width in (1280, 400):
        for dark in (False, True):
            seen = await opened(tab, page, width=width, dark=dark, ask=OPEN_ALL % drawn)
            still(seen, page)
            assert seen.facts["asked"] == 1 + 2 + 1 + 6  # losses; counts, score; measures


async def test_hostile_rows_run_nothing(tmp_path: Path, tab: object) -> None:
    out = hostile_project(tmp_path / "hostile")
    sftrecipe(tmp_path / "hostile", "run", "recipe.yaml")
    page = out / "report.html"
    asked = OPEN_ALL % (
        "{hacked: window.hacked === undefined, "
        "forbidden: document.querySelectorAll('script, img, iframe, a[href^=javascript]').length}"
    )
    seen = await opened(tab, page, ask=asked)
    still(seen, page)
    assert seen.facts["asked"] == {"hacked": True, "forbidden": 0}


async def test_the_policy_stops_a_script_that_came_in(tmp_path: Path, tab: object) -> None:
    """Were the escaping wrong, the browser would still run and fetch nothing."""
    out = hostile_project(tmp_path / "hostile")
    sftrecipe(tmp_path / "hostile", "run", "recipe.yaml")
    content = (out / "report.html").read_text(encoding="utf-8")
    page = tmp_path / "broken.html"
    bad = "<script>window.hacked = 1</script><img src='http://127.0.0.1:9/x' onerror='hacked=1'>"
    page.write_text(content.replace("<main>", f"<main>{bad}"), encoding="utf-8")
    seen = await opened(tab, page, ask="window.hacked === undefined")
    assert seen.facts["asked"] is True
    assert any("Content Security Policy" in message for message in seen.messages)
