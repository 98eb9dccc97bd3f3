"""How runs end: whether the same command goes on from there, or would fail again."""

from __future__ import annotations

import asyncio
import signal
import time
from pathlib import Path

import pytest
from tests.support.standin import stand_in
from tests.support.standin_runs import Whole

from sftrecipe.errors import SftrecipeError
from sftrecipe.messages import en, message, own_text
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.reasons import Reason, reason_of
from sftrecipe.run.run_end import GOES_ON, goes_on, run_end


def test_only_errors_that_exist_pass_by_themselves() -> None:
    assert en.MESSAGES.keys() >= GOES_ON
    wrong = {"provider-unusable", "gate-missed", "step-failed", "disk-full", "nothing-left"}
    for slug in GOES_ON | wrong:
        assert goes_on(SftrecipeError(slug)) is (slug in GOES_ON)


@pytest.mark.parametrize(
    ("error", "on"),
    [
        (KeyboardInterrupt(), True),
        (asyncio.CancelledError(), True),
        (ValueError("a plugin's"), False),
        (MemoryError(), False),
    ],
)
def test_what_is_no_error_of_the_engine(error: BaseException, on: bool) -> None:
    assert run_end(error).goes_on is on


def test_a_wrong_key_is_to_be_changed(tmp_path: Path) -> None:
    with stand_in() as server:
        whole = Whole(tmp_path, server.url)
        server.fail("401")
        assert "error[provider-unusable]" in whole.run(status=1)["error"]
    facts = whole.facts()
    assert (facts["status"], facts["goes_on"]) == ("failed", False)
    assert facts["slug"] == "provider-unusable"
    assert "sftrecipe doctor" in facts["told"]["zh"]["hint"]
    page = (whole.out / "report.html").read_text()
    assert "would fail here again" in page and "What to do: " in page
    assert "goes on from here" not in page


def test_an_interrupted_run_goes_on(tmp_path: Path) -> None:
    with stand_in("--delay", 0.3, "--reply", "items") as server:
        whole = Whole(tmp_path, server.url)
        running = whole.start()
        while server.requests() < 3 and running.poll() is None:
            time.sleep(0.05)
        running.send_signal(signal.SIGINT)
        running.communicate(timeout=60)
        assert running.returncode == 130
        facts = whole.facts()
        assert (facts["status"], facts["goes_on"]) == ("stopped", True)
        whole.run()
        assert "goes_on" not in whole.facts()


def test_reasons_are_told_with_their_short_name() -> None:
    assert reason_of("somebodys_own") == Reason("somebodys_own")
    too_short = reason_of("too_short", plugin_class("filter", "length"))
    inner = own_text("lost-reason", count=2, reason=too_short.name, row="x")
    lost = own_text("lost-rejected", step="s", count=2, reasons=(inner,))
    causes = {"step": "e", "causes": (lost,)}
    assert "2 too_short (x)" in message("nothing-left", causes, "en")
    assert "太短 too_short" in message("nothing-left", causes, "zh")
