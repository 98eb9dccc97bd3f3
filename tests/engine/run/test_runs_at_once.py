"""Several at work in one project: what another does just between two looks is stepped in at."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

import sftrecipe
from sftrecipe import Recipe
from sftrecipe.api.progress_events import News
from sftrecipe.errors import UsageError
from sftrecipe.forecast.stream_forecast import StreamForecasts
from sftrecipe.plan.steps import Step
from sftrecipe.plugin.permission import Permission
from sftrecipe.recipe.checks.permissions import Consent
from sftrecipe.recipe.user_settings import ALLOWED_WORDS, read_settings
from sftrecipe.record import Record
from sftrecipe.run import leftovers
from sftrecipe.run.output_folder import OutputFolder
from sftrecipe.run.run_history import content_now, history
from sftrecipe.run.steps.row_work import Passage, PlainVerdicts
from sftrecipe.run.steps.step_files import ROWS
from sftrecipe.store import artifacts
from sftrecipe.store.artifacts import StepStore, files_in
from sftrecipe.store.file_hashes import FileHashes
from sftrecipe.store.lock_files import LockFile, is_held, left_behind
from sftrecipe.store.project import Project
from sftrecipe.store.rows import RowWriter
from sftrecipe.store.step_facts import StepFacts

from ...support.plain_runs import Plain

FIT = {"id": "fit", "use": "length", "on": "rows", "with": {"field": "output", "max_chars": 8}}
KEY = "a" * 32


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Plain:
    monkeypatch.setenv("SFTRECIPE_LANG", "en")
    sftrecipe.messages.user_language.cache_clear()
    made = Plain(tmp_path)
    made.rows(range(5))
    monkeypatch.chdir(tmp_path)
    return made


def plain(**more: Any) -> Recipe:
    return Recipe.load(
        {
            "version": 1,
            "name": "plain",
            "sources": {"rows": {"use": "jsonl", "path": "rows.jsonl"}},
            "export": [{"use": "jsonl"}],
        }
        | more
    )


def leave(store: StepStore, key: str, outputs: list[str]) -> None:
    """A step's result: as many rows, replaced where they are there."""
    with store.writing(key, again=True) as draft:
        rows = RowWriter(draft / ROWS)
        for output in outputs:
            rows.write(Record(output, {"instruction": "q", "output": output}, "rows"))
        rows.close()
        files, count = files_in(draft), len(outputs)
        content = store.content(files, without="")
        store.finish(draft, StepFacts(made=count, kept=count, files=files, content=content))


@pytest.mark.parametrize("is_told", [False, True], ids=["unseen", "by an error"])
def test_what_rests_on_replaced_rows_is_made_again(
    is_told: bool, project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As beside a run that asks again for lost rows: former verdicts are not held to new rows."""
    facts_of, times, told = PlainVerdicts.facts, list[Step](), list[Any]()

    def late(work: PlainVerdicts) -> StepFacts:
        if not times:
            source = next((project.folder / ".sftrecipe" / "steps").glob("*/*/rows.parquet"))
            name = source.parent.name
            leave(StepStore(Project(project.folder).steps), name, [*"abcd", "much too long"])
        times.append(work.step)
        if is_told and len(times) == 1:
            raise ValueError("verdicts of other rows")
        return facts_of(work)

    monkeypatch.setattr(PlainVerdicts, "facts", late)
    run = plain(filter=[FIT]).run(progress=told.append)
    assert [row["output"] for row in project.data()] == [*"abcd"]
    assert run.streams == {"rows": 4} and len(list(run.rejects())) == 1
    assert len(times) == 2
    assert [each.text for each in told if isinstance(each, News)] == [
        "another run replaced the result of step 'rows': what rests on it is made again"
    ]
    assert plain(filter=[FIT]).run().streams == {"rows": 4}
    assert len(times) == 2


def test_an_error_of_rows_that_stay_is_told(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    def wrong(work: PlainVerdicts, row: Record) -> Passage:
        raise ZeroDivisionError("mine")

    monkeypatch.setattr(PlainVerdicts, "passed_at_once", wrong)
    with pytest.raises(sftrecipe.SftrecipeError, match="mine"):
        plain(filter=[FIT]).run()


def test_a_result_that_is_being_replaced_is_waited_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = StepStore(tmp_path / "steps")
    leave(store, KEY, ["a"])
    away, locked = store.path(KEY).with_name("away"), artifacts.locked

    @contextmanager
    def behind_it(folder: Path) -> Iterator[None]:
        """The lock, once the other process has let it go."""
        if away.exists():
            away.rename(store.path(KEY))
        with locked(folder):
            yield

    monkeypatch.setattr(artifacts, "locked", behind_it)
    for look in (StepStore.has, StepStore.facts, content_now):
        store.path(KEY).rename(away)
        assert look(StepStore(tmp_path / "steps"), KEY)  # type: ignore[operator]


def test_a_draft_is_not_cleared_away_under_who_begins_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its lock file is there a moment before it is held: who takes it for one that was left holds
    it, and its maker waits, until all is cleared away."""
    store, remove, seen = StepStore(tmp_path / "steps"), shutil.rmtree, list[bool]()
    draft = store.path(KEY).with_name(f"{KEY}.draft-{'0' * 16}")
    draft.mkdir(parents=True)
    lock = draft.with_name(f"{draft.name}.lock")
    lock.write_bytes(b"")

    def watched(path: Path, **options: Any) -> None:
        seen.append(path == draft and is_held(lock))
        remove(path, **options)

    monkeypatch.setattr(artifacts.shutil, "rmtree", watched)
    leave(store, KEY, ["a"])
    assert seen[0] and not draft.exists() and not lock.exists()


def test_a_lock_that_is_left_and_one_that_is_held(tmp_path: Path) -> None:
    held = LockFile(tmp_path / "held.lock")
    with left_behind(held.path) as left:
        assert not left
    held.release()
    with left_behind(held.path) as left:
        assert left


def test_two_recipes_begin_in_one_output_folder(project: Plain) -> None:
    project.recipe("one.yaml")
    project.recipe("two.yaml")
    one, two = (
        OutputFolder(project.out, Recipe.load(f"{name}.yaml").check()) for name in ("one", "two")
    )
    one.check()
    two.check()
    one.claim("plain.jsonl")
    with pytest.raises(UsageError, match=r"belongs to another recipe.*one\.yaml"):
        two.claim("plain.jsonl")
    one.claim("plain.jsonl")


def test_gc_tells_what_a_run_finishes_meanwhile(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = Project(tmp_path)
    draft = project.steps / KEY[:2] / f"{KEY}.draft-{'0' * 16}"
    draft.mkdir(parents=True)

    def ends(_: Path) -> bool:
        draft.rmdir()
        return False

    monkeypatch.setattr(leftovers, "is_draft_held", ends)
    assert [each.bytes for each in leftovers.leftovers(project).found] == [0]


def test_history_beside_a_result_that_goes(project: Plain, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was killed has a note alone: what is told of its steps is read once."""
    monkeypatch.setattr("sftrecipe.run.run_history.KeptRun.end", lambda *_: None)
    plain().run()
    facts = StepStore.facts

    def goes(store: StepStore, key: str) -> StepFacts:
        found = facts(store, key)
        shutil.rmtree(store.path(key))
        return found

    monkeypatch.setattr(StepStore, "facts", goes)
    (entry,) = history(Project(project.folder))
    assert entry.record.status == "killed"


def test_data_that_another_run_takes_away_do_not_stand(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Looked for and there; then, before it is read, gone."""
    plain().run()
    file, times, of = project.out / "plain.jsonl", list[Path](), FileHashes.of

    def late(hashes: FileHashes, path: Path) -> str:
        if path == file and not times:
            times.append(path)
            file.unlink()
        return of(hashes, path)

    monkeypatch.setattr(FileHashes, "of", late)
    assert plain().run().status == "done"
    assert times and len(project.data()) == 5


def test_what_the_user_allows_two_recipes_at_once_is_kept_of_both(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    at_once = [Consent(tmp_path / f"{name}.yaml", ["push"]) for name in ("one", "two")]
    assert all(each.allows(Permission((), "push", "publishes", "me/mine")) for each in at_once)
    assert [*read_settings(ALLOWED_WORDS).values()] == [["push=me/mine"]] * 2


def test_a_plan_beside_a_run_that_replaces_rows(
    project: Plain, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain(filter=[FIT]).run()
    more = plain(filter=[FIT, {**FIT, "id": "again"}])
    use, times = StreamForecasts.use_stored, 0

    def late(streams: StreamForecasts, step: Step, store: StepStore) -> None:
        nonlocal times
        times += 1
        if times == 2:
            leave(StepStore(store.folder), step.key, ["a"])  # no verdicts are there any more
        use(streams, step, store)

    monkeypatch.setattr(StreamForecasts, "use_stored", late)
    assert [step.rows for step in more.plan().steps]
    assert times > 2
