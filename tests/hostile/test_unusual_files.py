"""Pipes, devices and sockets as inputs, through the real commands: refused at once."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from sftrecipe.messages import Word
from sftrecipe.plugin.regular_files import UnusualFile, open_regular, unusual_kind

PLACES = {
    "source": "sources: {s: {use: jsonl, path: input}}",
    "json": "sources: {s: {use: json, path: input}}",
    "csv": "sources: {s: {use: csv, path: input}}",
    "text": "sources: {s: {use: text, path: input}}",
    "parquet": "sources: {s: {use: parquet, path: input}}",
    "folder": "sources: {s: {use: jsonl, path: folder}}",
    "parquet folder": "sources: {s: {use: parquet, path: folder}}",
    "saved": "sources: {s: {use: huggingface, path: folder}}",
    "catalogue": "sources: {s: {use: dataset, name: x, catalogue: input}}",
    "entry": "sources: {s: {use: dataset, name: pipe, catalogue: dataset_info.json}}",
    "parquet entry": "sources: {s: {use: dataset, name: parquet, catalogue: dataset_info.json}}",
    "list": "sources: {s: {use: jsonl, path: a.jsonl}}\n"
    "filter: [{use: blacklist, on: s, with: {file: input, words: []}}]",
    "benchmark": "sources: {s: {use: jsonl, path: a.jsonl}}\n"
    "filter: [{use: decontaminate, on: s, with: {benchmarks: [input]}}]",
    "template": "providers: {m: {use: embedded}}\nsources: {s: {use: jsonl, path: a.jsonl}}\n"
    "generate: [{id: g, use: self_instruct, from: s, provider: m, with: {template: ./input.j2}}]",
    "entities": "providers: {m: {use: embedded}}\nsources: {s: {use: jsonl, path: a.jsonl}}\n"
    "generate: [{id: g, use: self_instruct, from: s, provider: m, "
    "with: {template: '{{ examples }}', entities: {d: input}}}]",
    "extends": "extends: input.yaml",
}


def said(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "sftrecipe.cli.main", *map(str, words)]
    environment = {**os.environ, "SFTRECIPE_LANG": "en"}
    return subprocess.run(
        command,
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def pipe(path: Path) -> None:
    os.mkfifo(path)


def device(path: Path) -> None:
    path.symlink_to("/dev/zero")


def socket_at(path: Path) -> None:
    with socket.socket(socket.AF_UNIX) as listening:
        os.chdir(path.parent)
        listening.bind(path.name)


def project(folder: Path, make: Callable[[Path], None]) -> None:
    (folder / ".sftrecipe").mkdir()
    (folder / "a.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    (folder / "folder").mkdir()
    names = ("input", "input.j2", "input.yaml", "pipe.jsonl", "pipe.parquet")
    inside = ("a.jsonl", "a.parquet", "train.jsonl")
    for path in (*(folder / name for name in names), *(folder / "folder" / n for n in inside)):
        make(path)
    (folder / "dataset_info.json").write_text(
        '{"pipe": {"file_name": "pipe.jsonl"}, "parquet": {"file_name": "pipe.parquet"}}'
    )


def test_a_pipe_is_refused_wherever_a_file_is_read(tmp_path: Path) -> None:
    project(tmp_path, pipe)
    recipes = {f"{place.replace(' ', '-')}.yaml": text for place, text in PLACES.items()}
    for name, text in recipes.items():
        whole = f"version: 1\nname: {name}\n{text}\nexport: [{{use: jsonl}}]\n"
        (tmp_path / name).write_text(whole)
    checked = said(tmp_path, "validate", *recipes)
    assert "Traceback" not in checked.stderr
    told = dict(line.split(": ") for line in checked.stdout.splitlines())
    later = {name for name in recipes if told[name] == "ok"}
    assert later <= {"parquet-folder.yaml", "saved.yaml"}
    for name in recipes.keys() - later:
        about = [line for line in checked.stderr.splitlines() if line.startswith(name)]
        assert any("pipe" in line for line in about), (name, about)
    for name in later:  # kinds that only the run opens
        done = said(tmp_path, "run", name)
        assert done.returncode == 1, name
        assert "pipe" in done.stderr, (name, done.stderr)
        assert "Traceback" not in done.stderr


def test_a_pipe_in_a_locks_place_does_not_hold_its_error(tmp_path: Path) -> None:
    (tmp_path / "a.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    recipe = "version: 1\nname: a\nsources: {s: {use: jsonl, path: a.jsonl}}\n"
    (tmp_path / "a.yaml").write_text(recipe + "export: [{use: jsonl}]\n")
    pipe(tmp_path / "a.lock")
    done = said(tmp_path, "lock", "a.yaml", "--check")
    assert done.returncode == 2
    assert done.stderr.startswith("a.lock:1:1: error[lock-not-one]")


def test_a_recipe_whose_name_is_no_text_is_told(tmp_path: Path) -> None:
    recipe = tmp_path / os.fsdecode(b"\xff.yaml")  # as of an old archive
    recipe.write_text("version: 1\nname: a\n")
    for command in ("run", "lock"):
        done = said(tmp_path, command, recipe.name)
        assert done.returncode == 2
        assert done.stderr.startswith("error[file-unreadable]"), done.stderr


@pytest.mark.parametrize("make", [device, socket_at, pipe])
def test_every_kind_is_refused(tmp_path: Path, make: Callable[[Path], None]) -> None:
    make(tmp_path / "input")
    (tmp_path / "recipe.yaml").write_text(
        "version: 1\nname: t\nsources: {s: {use: jsonl, path: input}}\nexport: [{use: jsonl}]\n"
    )
    done = said(tmp_path, "run", "recipe.yaml", "--allow-path", "/dev")
    assert done.returncode == 2
    assert "unusual-file" in done.stderr
    recipe = said(tmp_path, "validate", "input")
    assert recipe.returncode == 2
    assert "unusual-file" in recipe.stderr or "file-unreadable" in recipe.stderr


def test_files_of_the_kernel_are_refused(tmp_path: Path) -> None:
    paths = ("/dev/stdin", "/dev/fd/0", "/proc/self/environ", "/proc/kmsg")
    for number, path in enumerate(paths):
        text = f"version: 1\nname: t\nsources: {{s: {{use: text, path: {path}}}}}\n"
        (tmp_path / f"{number}.yaml").write_text(text)
    names = [f"{number}.yaml" for number in range(len(paths))]
    done = said(tmp_path, "validate", *names, "--allow-path", "/")
    assert [line.split(": ")[1] for line in done.stdout.splitlines()] == ["1 error"] * len(paths)
    assert "path-outside" not in done.stderr


def test_a_pipe_with_nobody_at_its_other_end_does_not_wait(tmp_path: Path) -> None:
    pipe(tmp_path / "pipe")
    started = time.monotonic()
    with pytest.raises(UnusualFile) as refused:
        open_regular(tmp_path / "pipe")
    assert time.monotonic() - started < 1
    assert (refused.value.kind, unusual_kind(tmp_path / "pipe")) == ("pipe", Word("a-pipe"))
    (tmp_path / "file").write_bytes(b"x")
    with open_regular(tmp_path / "file") as file:
        assert file.read() == b"x"
    assert unusual_kind(tmp_path) is unusual_kind(tmp_path / "file") is None


def test_a_pipe_in_the_output_folder_does_not_hold_a_run(tmp_path: Path) -> None:
    project(tmp_path, lambda path: None)
    (tmp_path / "recipe.yaml").write_text(
        "version: 1\nname: t\nsources: {s: {use: jsonl, path: a.jsonl}}\n"
        "export: [{use: llamafactory}]\n"
    )
    out = tmp_path / "runs" / "t"
    out.mkdir(parents=True)
    pipe(out / "dataset_info.json")
    done = said(tmp_path, "run", "recipe.yaml")
    assert done.returncode in (0, 1, 2)
    assert "Traceback" not in done.stderr
