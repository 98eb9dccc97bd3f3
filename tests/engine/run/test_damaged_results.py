"""Results of steps that are damaged, missing or half written are made again, and told."""

from __future__ import annotations

import json
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.plain_runs import Plain, examples

from sftrecipe.store.artifacts import StepStore, files_in
from sftrecipe.store.lock_files import LockFile, is_held
from sftrecipe.store.step_facts import StepFacts


def _flip(file: Path) -> None:
    """One bit in the middle; size and time stay."""
    about, content = file.stat(), bytearray(file.read_bytes())
    content[len(content) // 2] ^= 4
    file.write_bytes(content)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


DAMAGES: dict[str, Callable[[Path], object]] = {
    "flipped": _flip,
    "truncated": lambda file: file.write_bytes(file.read_bytes()[:-7]),
    "emptied": lambda file: file.write_bytes(b""),
    "deleted": lambda file: file.unlink(),
    "a pipe": lambda file: (file.unlink(), os.mkfifo(file)),
    "a folder": lambda file: (file.unlink(), file.mkdir()),
    "an object": lambda file: file.write_bytes(b"{}"),
    "other": lambda file: file.write_bytes(b"PAR1 garbage PAR1"),
}


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Plain:
    plain = Plain(tmp_path_factory.mktemp("finished") / "project")
    plain.rows(range(40))
    plain.recipe(
        filter=[
            {"id": "even", "use": "regex", "on": "rows"}
            | {"with": {"field": "instruction", "keep": ["[02468][?]"]}}
        ],
        mix={"total": 15, "weights": {"rows": 1}},
    )
    plain.run()
    return plain


def test_any_damage_is_made_good_and_told_in_one_line(finished: Plain) -> None:
    drawn = random.Random(5)
    before = (finished.out / "plain.jsonl").read_bytes()
    steps = finished.folder / ".sftrecipe" / "steps"
    files = sorted(path for path in steps.rglob("*") if path.is_file())
    chosen = [(file, name) for file in files for name in DAMAGES]
    for file, name in drawn.sample(chosen, min(examples(6), len(chosen))):
        DAMAGES[name](file)
        told = finished.run()
        assert told.count("is damaged") == 1, (file, name, told)
        assert (finished.out / "plain.jsonl").read_bytes() == before
    assert "damaged" not in finished.run()


def test_what_a_step_says_of_itself_is_held_to_what_was_written(finished: Plain) -> None:
    before = (finished.out / "plain.jsonl").read_bytes()
    for file in (finished.folder / ".sftrecipe" / "steps").rglob("step.json"):
        facts = json.loads(file.read_bytes())
        file.write_text(json.dumps(facts | {"kept": facts["kept"] + 1}))
    assert finished.run().count("is damaged") == 4
    assert (finished.out / "plain.jsonl").read_bytes() == before


def test_steps_of_a_run_that_was_copied_and_deleted_are_made_again(finished: Plain) -> None:
    steps = finished.folder / ".sftrecipe" / "steps"
    before = (finished.out / "plain.jsonl").read_bytes()
    for folder in list(steps.iterdir())[:2]:
        shutil.rmtree(folder)
    finished.run()
    assert (finished.out / "plain.jsonl").read_bytes() == before


def test_an_exported_file_that_was_changed_is_noticed_whatever_its_time(finished: Plain) -> None:
    file = finished.out / "plain.jsonl"
    before = file.read_bytes()
    _flip(file)
    finished.run()
    assert file.read_bytes() == before


def test_a_draft_is_left_alone_while_its_writer_lives_and_removed_after(tmp_path: Path) -> None:
    store = StepStore(tmp_path / "steps")
    with store.writing("aa11") as draft:
        (draft / "rows").write_text("x")
        with StepStore(tmp_path / "steps").writing("aa22") as other:
            assert draft.exists()
            assert other != draft
            store.finish(other, StepFacts())
        store.finish(draft, StepFacts(files=files_in(draft)))
    abandoned = [tmp_path / "steps" / "aa" / f"aa33.draft-{name}" for name in ("1", "feed")]
    for folder in abandoned:
        folder.mkdir()
    abandoned[1].with_name(f"{abandoned[1].name}.lock").write_text(f"{os.getpid()} here")
    with store.writing("aa44") as draft:
        store.finish(draft, StepFacts())
    assert sorted(path.name for path in (tmp_path / "steps" / "aa").iterdir()) == [
        "aa11",
        "aa22",
        "aa44",
    ]


def test_a_step_that_another_process_replaced_is_read_anew(tmp_path: Path) -> None:
    store, other = StepStore(tmp_path / "steps"), StepStore(tmp_path / "steps")
    with store.writing("aa11") as draft:
        store.finish(draft, StepFacts(made=1, kept=1))
    assert store.has("aa11")
    with other.writing("aa11", again=True) as draft:
        other.finish(draft, StepFacts(made=2, kept=2))
    assert store.facts("aa11").kept == 2
    shutil.rmtree(store.path("aa11"))
    assert not store.has("aa11")


def test_two_writers_that_are_both_process_1_are_told_apart(tmp_path: Path) -> None:
    """In containers, each with process numbers of its own, over one folder."""
    held = LockFile(tmp_path / "one.lock")
    code = (
        "import sys; from pathlib import Path; from sftrecipe.store.lock_files import is_held;"
        "import os; print(os.getpid(), is_held(Path(sys.argv[1])), is_held(Path(sys.argv[2])))"
    )
    (tmp_path / "left.lock").write_text("1 somewhere")
    words = ["unshare", "--pid", "--fork", sys.executable, "-c", code]
    paths = [str(tmp_path / "one.lock"), str(tmp_path / "left.lock")]
    done = subprocess.run([*words, *paths], capture_output=True, text=True, check=False)
    if done.returncode and "unshare" in done.stderr:
        pytest.skip("no process number spaces here")
    assert done.stdout.split() == ["1", "True", "False"]
    held.release()
    assert not is_held(tmp_path / "one.lock")


def test_what_a_step_says_of_itself_names_every_file(finished: Plain) -> None:
    for file in (finished.folder / ".sftrecipe" / "steps").rglob("step.json"):
        facts = json.loads(file.read_bytes())
        assert facts["files"].keys() | {file.name} == {path.name for path in file.parent.iterdir()}
