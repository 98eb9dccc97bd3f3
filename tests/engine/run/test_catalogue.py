"""`dataset_info.json` keeps what is not ours, and is never overwritten when broken."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin import DataSet
from sftrecipe.run.catalogue import NAME, read, register

FOREIGN = {"zh": {"hf_hub_url": "a/b", "description": "中文"}, "old": {"file_name": "old.json"}}


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def data_set(name: str = "mine", file: str = "mine.json") -> DataSet:
    return DataSet(name, (file,), 3, {"file_name": file, "formatting": "alpaca"})


def test_a_catalogue_is_made(tmp_path: Path) -> None:
    assert register(tmp_path / NAME, [data_set(), DataSet("plain", ("p.jsonl",), 1)], tmp_path)
    assert read(tmp_path / NAME) == {"mine": {"file_name": "mine.json", "formatting": "alpaca"}}


def test_foreign_entries_and_the_order_stay(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(json.dumps({"mine": {"file_name": "mine.json"}, **FOREIGN}, indent=4))
    assert register(path, [data_set("new"), data_set()], tmp_path)
    assert list(read(path)) == ["mine", "zh", "old", "new"]
    assert {name: read(path)[name] for name in FOREIGN} == FOREIGN
    text = path.read_bytes().decode("ascii")
    assert text.startswith('{\n    "mine"')


def test_a_second_time_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / NAME
    register(path, [data_set()], tmp_path)
    before = path.stat()
    assert not register(path, [data_set()], tmp_path)
    assert path.stat() == before


def test_the_projects_catalogue_points_into_the_run(tmp_path: Path) -> None:
    folder = tmp_path / "runs" / "demo"
    folder.mkdir(parents=True)
    register(tmp_path / NAME, [data_set()], folder)
    assert read(tmp_path / NAME)["mine"]["file_name"] == "runs/demo/mine.json"
    assert register(tmp_path / NAME, [data_set(file="mine.parquet")], folder)
    assert read(tmp_path / NAME)["mine"]["file_name"] == "runs/demo/mine.parquet"


@pytest.mark.parametrize("other", [{"file_name": "theirs.json"}, {"hf_hub_url": "a/b"}, 7])
def test_a_name_that_is_taken_is_refused(tmp_path: Path, other: object) -> None:
    path = tmp_path / NAME
    path.write_text(json.dumps({"mine": other}))
    with pytest.raises(SftrecipeError) as caught:
        register(path, [data_set()], tmp_path / "runs" / "demo")
    assert caught.value.problem.slug == "catalogue-taken"
    assert json.loads(path.read_text()) == {"mine": other}


def test_two_exports_of_one_name_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SftrecipeError) as caught:
        register(tmp_path / NAME, [data_set(), data_set()], tmp_path)
    assert caught.value.problem.slug == "catalogue-duplicate"


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"a": {}} x', b"\xff\xfe{}", b'{"a": {}, "a": {}}', b"[" * 100_000],
)
def test_a_broken_file_is_refused_and_left(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / NAME
    path.write_bytes(content)
    with pytest.raises(SftrecipeError) as caught:
        register(path, [data_set()], tmp_path)
    assert caught.value.problem.slug == "catalogue-broken"
    assert path.read_bytes() == content
    assert names(tmp_path) == [NAME]


def test_a_bom_is_read_and_dropped(tmp_path: Path) -> None:
    path = tmp_path / NAME
    path.write_text(json.dumps(FOREIGN), encoding="utf-8-sig")
    register(path, [data_set()], tmp_path)
    assert list(json.loads(path.read_bytes())) == ["zh", "old", "mine"]


def test_runs_at_the_same_time_all_get_in(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; from sftrecipe.plugin import DataSet\n"
        "from sftrecipe.run.catalogue import register\n"
        "folder = Path(sys.argv[1])\n"
        "for at in range(20):\n"
        "    name = f'{sys.argv[2]}_{at}'\n"
        "    entry = {'file_name': f'{name}.json'}\n"
        "    register(folder / 'dataset_info.json', [DataSet(name, (), 1, entry)], folder)\n"
    )
    runs = [subprocess.Popen([sys.executable, "-c", code, tmp_path, str(n)]) for n in range(4)]
    assert [run.wait() for run in runs] == [0] * 4
    assert len(read(tmp_path / NAME)) == 80
