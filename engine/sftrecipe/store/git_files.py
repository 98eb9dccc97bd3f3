"""Files as a git revision has them, read one by one: nothing is checked out, no hook, filter or
program of the repository is run, and nothing is fetched."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from sftrecipe.errors import UsageError
from sftrecipe.recipe.presets.git_environment import git_environment

_LARGEST = 256 * 1024 * 1024
"""Bytes of a file that is read."""
_SECONDS = 60
_QUIET = (
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "protocol.allow=never",
)
_SETTINGS = {"GIT_NO_LAZY_FETCH": "1", "GIT_TERMINAL_PROMPT": "0", "GIT_OPTIONAL_LOCKS": "0"}
_FILES = ("100644", "100755")
"""Modes of files; links and other repositories are left out."""


@dataclass(frozen=True)
class GitRevision:
    """A revision of a repository."""

    folder: Path
    """The repository's."""
    commit: str
    files: dict[PurePosixPath, tuple[str, int]]
    """Object and bytes of every file, by its path from the repository's folder on."""

    def content(self, path: PurePosixPath) -> bytes:
        """What a file held. Raises UsageError."""
        name, size = self.files[path]
        if size > _LARGEST:
            raise UsageError("git-large", None, path=str(path), commit=self.commit[:12])
        return _git(self.folder, "cat-file", "blob", name)

    def under(self, folder: PurePosixPath) -> Iterator[PurePosixPath]:
        """The files in a folder, however deep."""
        return (path for path in self.files if path.is_relative_to(folder))


def git_revision(place: Path, revision: str) -> GitRevision:
    """A revision of the repository around a place. Raises UsageError where there is none."""
    is_bare = _git(place, "rev-parse", "--is-bare-repository").strip() == b"true"
    asked_for = "--absolute-git-dir" if is_bare else "--show-toplevel"
    top = Path(os.fsdecode(_git(place, "rev-parse", asked_for).rstrip(b"\n")))
    asked = ("rev-parse", "--verify", "--quiet", "--end-of-options", f"{revision}^{{commit}}")
    commit = _git(top, *asked, revision=revision).decode().strip()
    listed = _git(top, "ls-tree", "-r", "-l", "-z", "--full-tree", commit)
    return GitRevision(top, commit, dict(_entries(listed)))


def _entries(listed: bytes) -> Iterator[tuple[PurePosixPath, tuple[str, int]]]:
    for line in listed.split(b"\0"):
        about, tab, name = line.partition(b"\t")
        if tab:
            mode, _, found, size = about.decode().split()
            if mode in _FILES:
                yield PurePosixPath(os.fsdecode(name)), (found, int(size))


def _git(folder: Path, *words: str, revision: str = "") -> bytes:
    """What git says. Raises UsageError."""
    command = ["git", *_QUIET, "-C", str(folder), *words]
    try:
        done = subprocess.run(  # noqa: S603 - git alone, its options before the user's words
            command,
            capture_output=True,
            check=False,
            timeout=_SECONDS,
            env={**git_environment(), **_SETTINGS},
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError("git-unasked", None, error=str(error)) from error
    if done.returncode:
        if revision:
            is_shallow = _git(folder, "rev-parse", "--is-shallow-repository").strip() == b"true"
            hint = "git-shallow" if is_shallow else None
            raise UsageError("git-revision-absent", hint, revision=revision, folder=str(folder))
        said = done.stderr.decode("utf-8", "replace").strip().splitlines()
        raise UsageError("git-unasked", None, error=said[-1] if said else str(done.returncode))
    return done.stdout
