"""Runs in Python: beside an event loop, beside one another, ended early; nothing of the process
is changed."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import signal
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from tests.support.plain_runs import Plain
from tests.support.standin import StandIn, stand_in
from tests.support.standin_runs import Whole

import sftrecipe
from sftrecipe import Recipe, Run, SftrecipeError
from sftrecipe.api.background_work import BackgroundWork
from sftrecipe.api.progress_events import News, StepFinished, StepStarted
from sftrecipe.errors import UsageError
from sftrecipe.run.execution.plan_execution import Execution

SHORT = {"id": "short", "use": "length", "on": "rows", "with": {"field": "output", "max_chars": 6}}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    sftrecipe.messages.user_language.cache_clear()
    made = Plain(tmp_path)
    made.rows(range(5))
    monkeypatch.chdir(tmp_path)
    return made


def plain(**more: Any) -> Recipe:
    document = {
        "version": 1,
        "name": "plain",
        "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
        "export": [{"use": "jsonl"}],
    }
    return Recipe.load(document | more)


def test_what_a_run_leaves(project: Plain, capfd: pytest.CaptureFixture[str]) -> None:
    project.rows([1, 22, 333])
    (project.folder / "rows.jsonl").write_text(
        '{"instruction": "a", "output": "short"}\n{"instruction": "b", "output": "much longer"}\n'
        '{"instruction": "c", "output": "brief", "input": "more"}\n'
    )
    run = plain(filter=[SHORT]).run()
    assert (run.status, run.streams, run.cost) == ("done", {"rows": 2}, None)
    assert next(run.rows("rows")) == {"instruction": "a", "output": "short"}
    assert list(run.rows()) == list(run.rows("rows"))
    (lost,) = run.rejects()
    assert (lost.step, lost.row.columns["instruction"]) == ("short", "b")
    assert list(run.rejects("rows")) == []
    assert "lost at short" in str(run.explain("much longer"))
    assert run.explain(next(run.records()).id).row.origin == "rows.jsonl:1"
    assert run.data_sets == {"plain": [project.out / "plain.jsonl"]}
    assert Path(run.report) == project.out / "report.html" and run.report.path.exists()
    assert "<iframe srcdoc=" in run.report._repr_html_()
    assert run.usage.asked == 0
    frame = run.to_pandas("rows")
    assert list(frame.index) == [record.id for record in run.records()]
    assert list(frame["input"].isna()) == [True, False]
    assert run.to_dataset().column_names == ["instruction", "output", "input"]
    opened = [Run.open(), Run.open("plain"), Run.open(project.out)]
    assert [each.streams for each in opened] == [run.streams] * 3
    assert repr(run) == f"Run(plain: done; rows 2; {project.out})"
    with pytest.raises(UsageError) as raised:
        run.rows("rws")
    assert "did you mean 'rows'?" in raised.value.__notes__[0]
    assert capfd.readouterr() == ("", "")


def test_a_run_of_a_mapping_is_found_again(project: Plain, tmp_path: Path) -> None:
    elsewhere = tmp_path.parent / f"{tmp_path.name}-out"
    plain().run(out=elsewhere)
    assert Run.open(elsewhere).streams == {"rows": 5}


def test_the_same_recipe_twice(project: Plain) -> None:
    recipe, events = plain(), list[Any]()
    recipe.run()
    again = recipe.run(progress=events.append)
    finished = [each for each in events if isinstance(each, StepFinished)]
    assert [each.cached for each in finished] == [True, True]
    assert again.streams == {"rows": 5}


def test_progress_on_the_terminal_alone_where_it_is_asked(
    project: Plain, capfd: pytest.CaptureFixture[str]
) -> None:
    plain().run(progress=True)
    out, error = capfd.readouterr()
    assert out == "" and "rows: 5 rows" in error


async def test_within_a_running_loop(project: Plain) -> None:
    """As in a notebook: `run` waits, `arun` lets the loop go on."""
    recipe, ticks = plain(), list[int]()

    async def tick() -> None:
        while True:
            ticks.append(len(ticks))
            await asyncio.sleep(0.001)

    ticking = asyncio.create_task(tick())
    assert recipe.run().streams == {"rows": 5}
    assert not ticks
    events: list[Any] = []
    assert (await recipe.arun(progress=events.append, out="other")).streams == {"rows": 5}
    ticking.cancel()
    assert len(ticks) > 3
    assert isinstance(events[0], StepStarted | StepFinished)


def test_two_at_once(project: Plain) -> None:
    recipes = [plain(name=name, seed=seed) for seed, name in enumerate(("one", "two", "three"))]
    with ThreadPoolExecutor() as pool:
        runs = list(pool.map(lambda recipe: recipe.run(), [*recipes, recipes[0]]))
    assert [run.streams for run in runs] == [{"rows": 5}] * 4

    async def together() -> list[Run]:
        return await asyncio.gather(*(recipe.arun() for recipe in recipes))

    assert [run.name for run in asyncio.run(together())] == ["one", "two", "three"]


def test_what_another_run_finishes_meanwhile_keeps_its_place(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody may be reading it: it is neither replaced nor away for a moment."""
    make, places = Execution._make, list[dict[Path, int]]()

    async def late(execution: Execution, *step: Any, **told: Any) -> None:
        if not places:
            project.recipe()
            project.run("recipe.yaml", "--out", "elsewhere")
            places.append(_places(project))
        await make(execution, *step, **told)

    monkeypatch.setattr(Execution, "_make", late)
    assert plain().run().streams == {"rows": 5}
    assert places[0] and _places(project) == places[0]


def _places(project: Plain) -> dict[Path, int]:
    """The files of rows, and which ones they are on the disk."""
    files = (project.folder / ".sftrecipe" / "steps").glob("*/*/rows.parquet")
    return {path: path.stat().st_ino for path in files}


def test_what_progress_raises_ends_the_run(project: Plain) -> None:
    heard = []

    def fail(event: Any) -> None:
        heard.append(event)
        raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        plain().run(progress=fail)
    assert len(heard) == 1
    with pytest.raises(ZeroDivisionError, match="mine"):
        asyncio.run(plain().arun(progress=fail, out="other"))
    assert len(heard) == 2
    assert plain().run().status == "done"


def test_what_is_to_be_known_before_is_told(project: Plain) -> None:
    events: list[Any] = []
    recipe = plain(mix={"total": 3, "weights": {"rows": 1}}, filter=[
        {"use": "length", "on": "rows", "with": {"field": "output", "min_chars": 100}}
    ])  # fmt: skip
    with pytest.raises(SftrecipeError) as raised:
        recipe.run(progress=events.append)
    assert any(isinstance(each, News) for each in events)
    assert raised.value.__notes__
    assert Run.open("plain").status == "failed"


@pytest.mark.parametrize("wrong", [{"concurrency": 0}, {"to": "nowhere"}])
def test_arguments_out_of_range(wrong: Any, project: Plain) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        plain().run(**wrong)


def test_arguments_of_another_kind(project: Plain) -> None:
    for wrong in (1.5, float("nan"), "2"):
        with pytest.raises(TypeError):
            plain().run(concurrency=wrong)  # type: ignore[arg-type]
    run = plain().run()
    for ask in (run.explain, run.find):
        with pytest.raises(TypeError, match="a text, not int"):
            ask(1)  # type: ignore[operator]
    with pytest.raises(UsageError) as raised:
        list(run.rejects("length"))
    assert raised.value.problem.slug == "no-such-step"


def test_packages_that_are_absent(project: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    run = plain().run()
    for name in ("pandas", "datasets"):
        monkeypatch.setitem(sys.modules, name, None)
    for ask, name in ((run.to_pandas, "pandas"), (run.to_dataset, "datasets")):
        with pytest.raises(UsageError, match=f"package '{name}' is not installed") as raised:
            ask()
        assert "install" in raised.value.__notes__[0] and name in raised.value.__notes__[0]


def test_columns_of_several_kinds(project: Plain) -> None:
    (project.folder / "rows.jsonl").write_text('{"a": 1, "b": "x"}\n{"a": "one", "b": "y"}\n')
    run = plain().run()
    assert list(run.to_pandas()["a"]) == [1, "one"]
    with pytest.raises(UsageError, match="column 'a' of stream 'rows'"):
        run.to_dataset()


def test_rows_that_are_gone(project: Plain) -> None:
    run = plain().run()
    for step in (project.folder / ".sftrecipe" / "steps").iterdir():
        step.rename(step.with_name(f"gone-{step.name}"))
    with pytest.raises(UsageError) as raised:
        _ = Run.open(run.out).streams
    assert raised.value.problem.slug == "steps-gone"
    assert "rows gone" in repr(Run.open(run.out))


def _process_state() -> dict[str, Any]:
    loggers = logging.getLogger("sftrecipe"), logging.getLogger("asyncio"), logging.getLogger()
    return {
        "environment": dict(os.environ),
        "folder": Path.cwd(),
        "signals": {number: signal.getsignal(number) for number in signal.valid_signals()},
        "alarm": signal.getitimer(signal.ITIMER_REAL),
        "policy": asyncio.get_event_loop_policy(),
        "set": asyncio.get_event_loop_policy()._local._set_called,  # type: ignore[attr-defined]
        "logging": [(each.level, list(each.handlers), each.disabled) for each in loggers],
        "warnings": list(warnings.filters),
        "streams": (sys.stdout, sys.stderr, sys.excepthook, threading.excepthook),
        "threads": {each for each in threading.enumerate() if each.name == "sftrecipe"},
    }


def test_the_process_is_as_it_was(project: Plain) -> None:
    (project.folder / "recipe.yaml").write_text(json.dumps(plain().check().document))
    plain(name="before").run()  # what libraries do when they are imported is theirs
    before = _process_state()
    run = Recipe.load("recipe.yaml").run(progress=lambda event: None)
    run.report  # noqa: B018 - is written
    with pytest.raises(KeyboardInterrupt):
        plain(name="other").run(progress=_interrupted)
    assert _process_state() == before


def _interrupted(event: Any) -> None:
    raise KeyboardInterrupt


def test_a_loop_that_does_not_hear_is_broken_off() -> None:
    async def busy() -> None:
        while True:
            pass

    def work(background: BackgroundWork[None]) -> None:
        background.send("begun")
        background.loop(busy())

    def hear(told: object) -> None:
        raise KeyError(told)

    with pytest.raises(KeyError, match="begun"):
        BackgroundWork(work).result(hear)
    with pytest.raises(KeyError, match="begun"):
        asyncio.run(BackgroundWork(work).awaited(hear))


async def test_a_task_that_is_cancelled_ends_the_run_first(tmp_path: Path) -> None:
    with stand_in("--reply", "items", "--items", 3, "--delay", 0.2) as server:
        whole = Whole(tmp_path, server.url)
        recipe = Recipe.load(whole.folder / "recipe.yaml")
        task = asyncio.create_task(recipe.arun(concurrency=2))
        await asyncio.to_thread(_wait_for_a_request, server)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
    assert Run.open(whole.out).status == "stopped"


def _wait_for_a_request(server: StandIn) -> None:
    while not server.requests():
        time.sleep(0.02)


PROGRAM = """
import asyncio, signal, sys
from sftrecipe import Recipe, Run

def heard(event):
    print(type(event).__name__, flush=True)

recipe = Recipe.load("recipe.yaml")
try:
    if sys.argv[1] == "run":
        recipe.run(progress=heard, concurrency=4)
    else:
        asyncio.run(recipe.arun(progress=heard, concurrency=4))
except KeyboardInterrupt:
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    print(Run.open("whole").status, flush=True)
    sys.exit(7)
"""


@pytest.mark.parametrize("how", ["run", "arun"])
def test_interrupted(how: str, tmp_path: Path) -> None:
    with stand_in("--reply", "items", "--items", 3, "--delay", 0.1) as server:
        whole = Whole(tmp_path, server.url)
        whole.write_recipe(rounds=3, total=20)
        process = subprocess.Popen(
            [sys.executable, "-c", PROGRAM, how], cwd=tmp_path,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout is not None
        while server.requests() < 4:
            assert process.poll() is None, process.stderr and process.stderr.read()
        process.send_signal(signal.SIGINT)
        out, error = process.communicate(timeout=120)
        assert process.returncode == 7, out + error
        assert out.splitlines()[-1] == "stopped" and not error
        asked = server.requests()
        run = Recipe.load(whole.folder / "recipe.yaml").run()
    assert run.status == "done" and run.usage.cached >= asked - 4
    assert run.streams["mix"] == len(list(run.rows()))
