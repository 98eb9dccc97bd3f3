"""Files appear whole or not at all, and never outside their folder."""

from __future__ import annotations

import errno
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sftrecipe.errors import SftrecipeError
from sftrecipe.store.atomic_files import create


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_a_file_appears_at_the_end_with_usual_permissions(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    with create(tmp_path, "a.json") as file:
        file.write(b"new")
        assert (tmp_path / "a.json").read_text() == "old"
    assert (tmp_path / "a.json").read_text() == "new"
    (tmp_path / "usual").touch()
    assert (tmp_path / "a.json").stat().st_mode == (tmp_path / "usual").stat().st_mode
    assert names(tmp_path) == ["a.json", "usual"]


def test_a_block_that_raises_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("old")
    with pytest.raises(KeyboardInterrupt), create(tmp_path, "a.json") as file:
        file.write(b"half")
        raise KeyboardInterrupt
    assert (tmp_path / "a.json").read_text() == "old"
    assert names(tmp_path) == ["a.json"]


def test_folders_in_the_name_are_made(tmp_path: Path) -> None:
    with create(tmp_path / "runs", "sub/a.json") as file:
        file.write(b"x")
    assert (tmp_path / "runs/sub/a.json").read_text() == "x"


@pytest.mark.parametrize(
    "name", ["../a", "sub/../../a", "/etc/a", "..", ".", "", "sub/", "a\0b", "..\\a"]
)
def test_names_that_leave_the_folder_are_refused(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "out"
    folder.mkdir()
    with pytest.raises(SftrecipeError) as caught, create(folder, name):
        pass
    assert caught.value.problem.slug == "file-outside"
    assert names(tmp_path) == ["out"]


def test_a_linked_parent_is_refused_and_a_linked_file_replaced(tmp_path: Path) -> None:
    folder, elsewhere = tmp_path / "out", tmp_path / "elsewhere"
    folder.mkdir()
    elsewhere.mkdir()
    (elsewhere / "kept").write_text("kept")
    (folder / "link").symlink_to(elsewhere)
    (folder / "file").symlink_to(elsewhere / "kept")
    with pytest.raises(SftrecipeError) as caught, create(folder, "link/a"):
        pass
    assert caught.value.problem.slug == "file-outside"
    with create(folder, "file") as file:
        file.write(b"new")
    assert (elsewhere / "kept").read_text() == "kept"
    assert (folder / "file").read_text() == "new"


def test_the_folder_itself_may_be_a_link(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "runs").symlink_to(tmp_path / "disk")
    with create(tmp_path / "runs", "a") as file:
        file.write(b"x")
    assert (tmp_path / "disk/a").read_text() == "x"


@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_told(tmp_path: Path, code: int) -> None:
    with pytest.raises(SftrecipeError) as caught, create(tmp_path, "a"):
        raise OSError(code, os.strerror(code))
    assert caught.value.problem.slug == "disk-full"
    assert names(tmp_path) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_really_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.open
    monkeypatch.setattr(
        os, "open", lambda path, *rest: real("/dev/full" if ".tmp" in str(path) else path, 1)
    )
    with pytest.raises(SftrecipeError) as caught, create(tmp_path, "a") as file:
        file.write(b"x" * 100_000)
    assert caught.value.problem.slug == "disk-full"


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SftrecipeError) as caught, create(tmp_path / "file", "sub/a"):
        pass
    assert caught.value.problem.slug == "file-write"


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_read_only_folder_is_told(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(SftrecipeError) as caught, create(tmp_path, "a"):
        pass
    assert caught.value.problem.slug == "folder-read-only"


def test_other_errors_of_the_block_pass(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), create(tmp_path, "a"):
        (tmp_path / "missing").read_text()


def test_what_a_killed_run_left_is_swept_and_what_a_live_one_writes_is_not(tmp_path: Path) -> None:
    code = (
        "import sys, time; from pathlib import Path\n"
        "from sftrecipe.store.atomic_files import create\n"
        "with create(Path(sys.argv[1]), 'a.json') as f:\n"
        "    f.write(b'half'); f.flush(); print('open', flush=True); time.sleep(60)"
    )
    live = subprocess.Popen([sys.executable, "-c", code, tmp_path], stdout=subprocess.PIPE)
    assert live.stdout is not None
    live.stdout.readline()
    (unfinished,) = tmp_path.glob(".a.json.*.tmp")
    long_ago = time.time() - 3600
    os.utime(unfinished, (long_ago, long_ago))
    with create(tmp_path, "a.json"):
        pass
    assert unfinished.exists()
    live.send_signal(signal.SIGKILL)
    live.wait()
    live.stdout.close()
    with create(tmp_path, "a.json"):
        pass
    assert names(tmp_path) == ["a.json"]
