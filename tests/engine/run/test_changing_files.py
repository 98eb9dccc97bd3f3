"""Files that change while a run works: never a result under the key of another content."""

from __future__ import annotations

import json
import os
import random
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.engine.run.halting import Halting
from tests.support.plain_runs import Plain, examples, lines
from tests.support.standin import stand_in
from tests.support.standin_runs import DATA, Whole

Edit = Callable[[Path, bytes], None]


def in_place(file: Path, content: bytes) -> None:
    """Keeps size and time."""
    about = file.stat()
    with file.open("r+b") as opened:
        opened.write(content)
    os.utime(file, ns=(about.st_atime_ns, about.st_mtime_ns))


def renamed(file: Path, content: bytes) -> None:
    """As editors and rsync do, with the time of the old file."""
    about = file.stat()
    new = file.with_name("new")
    new.write_bytes(content)
    os.utime(new, ns=(about.st_atime_ns, about.st_mtime_ns))
    new.replace(file)


@pytest.fixture
def halting(tmp_path: Path) -> Halting:
    project = Halting(tmp_path / "project")
    project.rows(range(500))
    project.use(path="rows.jsonl")
    return project


@pytest.mark.parametrize("edit", [in_place, renamed])
@pytest.mark.parametrize("put_back", [True, False])
def test_a_file_that_is_edited_in_the_middle(halting: Halting, edit: Edit, put_back: bool) -> None:
    file = halting.folder / "rows.jsonl"
    first, other = lines(range(500)).encode(), lines(range(500), "W").encode()
    process = halting.halted()
    edit(file, other)
    if put_back:
        time.sleep(0.05)
        edit(file, first)
    told = halting.let_go(process, 0 if put_back else 1)
    if not put_back:
        assert "error[file-changed]: file 'rows.jsonl'" in told
        assert not (halting.out / "plain.jsonl").exists()
        halting.run()
    word = "Q" if put_back else "W"
    assert {row["instruction"][0] for row in halting.data()} == {word}


def test_a_folder_that_gains_and_loses_a_file(halting: Halting) -> None:
    folder = halting.folder / "docs"
    folder.mkdir()
    for name in ("a", "c"):
        (folder / f"{name}.jsonl").write_text(lines(range(3)))
    halting.use(path="docs")
    process = halting.halted()
    (folder / "b.jsonl").write_text(lines(range(3), "W"))
    (folder / "c.jsonl").rename(halting.folder / "c.jsonl")
    time.sleep(0.05)
    (folder / "b.jsonl").unlink()
    (halting.folder / "c.jsonl").rename(folder / "c.jsonl")
    halting.let_go(process)
    assert len(halting.data()) == 6
    process = halting.start("run", "recipe.yaml")
    assert "done before" in process.communicate()[1]
    (folder / "b.jsonl").write_text(lines(range(3), "W"))
    halting.run()
    assert len(halting.data()) == 9


def test_a_file_that_vanishes(halting: Halting) -> None:
    process = halting.halted()
    (halting.folder / "rows.jsonl").rename(halting.folder / "away.jsonl")
    told = halting.let_go(process, 1)
    assert "error[file-changed]" in told
    assert "Traceback" not in told


def test_a_large_file_of_the_same_size_and_time_is_read_again(tmp_path: Path) -> None:
    plain = Plain(tmp_path)
    filler = "x" * (17 << 20)
    one, two = (json.dumps({"instruction": word, "output": filler}) for word in ("one", "two"))
    file = tmp_path / "rows.jsonl"
    file.write_text(one)
    plain.recipe()
    plain.run()
    assert "done before" in plain.run()
    in_place(file, two.encode())
    plain.run()
    assert plain.data()[0]["instruction"] == "two"


def test_a_plugin_that_is_being_written_counts_by_its_source(halting: Halting) -> None:
    halting.run()
    assert {row["read"] for row in halting.data()} == {"one"}
    halting.write_plugin("two")
    halting.run()
    assert {row["read"] for row in halting.data()} == {"two"}
    halting.write_plugin("one")
    assert "rows: 500 rows, done before" in halting.run()
    assert {row["read"] for row in halting.data()} == {"one"}


def test_a_catalogues_entry_that_changes(tmp_path: Path) -> None:
    plain = Plain(tmp_path)
    catalogue = tmp_path / "dataset_info.json"
    for name, word in (("one", "Q"), ("two", "W")):
        plain.rows(range(20_000), f"{name}.jsonl", word)

    def enter(file: str) -> None:
        new = tmp_path / "new.json"
        new.write_text(json.dumps({"rows": {"file_name": f"{file}.jsonl"}}))
        new.replace(catalogue)

    enter("one")
    plain.recipe(sources={"rows": {"use": "dataset", "name": "rows"}})
    drawn = random.Random(4)
    for _ in range(examples(2)):
        process = plain.start("run", "recipe.yaml")
        time.sleep(drawn.uniform(0, 3))
        enter("two")
        time.sleep(drawn.uniform(0, 0.3))
        enter("one")
        process.communicate()
        plain.run()
        assert {row["instruction"][0] for row in plain.data()} == {"Q"}
        for file in (tmp_path / ".sftrecipe" / "steps").rglob("step.json"):
            file.unlink()


SAME = {
    "seeds.jsonl": (b"Seed question", b"Sown question"),
    "prompt.j2": (b"Write", b"Draft"),
    "diseases.yaml": (b"disease", b"illness"),
}


def test_edits_at_random_moments_come_to_what_a_clean_run_comes_to(tmp_path: Path) -> None:
    drawn = random.Random(11)
    with stand_in("--reply", "items", "--items", 3, "--delay", 0.02) as server:
        clean = {name: _clean(tmp_path / f"clean-{name}", server.url, name) for name in ("", *SAME)}
        told = []
        for number in range(examples(4)):
            whole = _whole(tmp_path / str(number), server.url)
            name = drawn.choice(sorted(SAME))
            file, edit = whole.folder / name, drawn.choice([in_place, renamed])
            before = file.read_bytes()
            process = whole.start()
            time.sleep(drawn.uniform(0, 4))
            edit(file, before.replace(*SAME[name]))
            time.sleep(drawn.choice([0, 0.05, 0.5, 2]))
            edit(file, before)
            _, error = process.communicate(timeout=240)
            told.append(process.returncode)
            if process.returncode == 0:
                assert _result(whole) in (clean[""], clean[name])
            else:
                assert "error[file-chang" in error, error
            whole.run()
            assert _result(whole) == clean[""], (number, name, error)
    print("exit statuses:", told)


def _whole(folder: Path, url: str) -> Whole:
    whole = Whole(folder, url)
    whole.write_recipe(rounds=3, total=30)
    return whole


def _result(whole: Whole) -> dict[str, bytes]:
    """What a run leaves; a holdout of none is not among it."""
    files = {name: whole.out / name for name in DATA}
    return {name: file.read_bytes() for name, file in files.items() if file.exists()}


def _clean(folder: Path, url: str, name: str) -> dict[str, bytes]:
    whole = _whole(folder, url)
    if name:
        file = whole.folder / name
        file.write_bytes(file.read_bytes().replace(*SAME[name]))
    whole.run()
    return _result(whole)
