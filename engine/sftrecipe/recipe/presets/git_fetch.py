"""Asking git for a preset: nothing of the repository's is run, and only so much is fetched."""

from __future__ import annotations

import os
import re
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sftrecipe.errors import UsageError
from sftrecipe.recipe.presets.git_address import GitAddress
from sftrecipe.recipe.presets.git_cache import keep_preset
from sftrecipe.recipe.presets.git_environment import git_environment
from sftrecipe.recipe.presets.git_objects import CommitFiles, UnfitTree
from sftrecipe.recipe.presets.preset import MOST_BYTES, MOST_FILES, RECIPE, Preset

MOST_FETCHED = 256_000_000
MOST_SECONDS = 600.0
_MB = 1_000_000
_NOWHERE = subprocess.DEVNULL
_LFS = b"version https://git-lfs.github.com/spec/"
_SETTINGS = (
    "protocol.allow=never",
    "protocol.version=2",
    "core.hooksPath=" + os.devnull,
    "core.fsmonitor=false",
    "core.symlinks=false",
    "fetch.recurseSubmodules=false",
    "submodule.recurse=false",
    "fetch.fsckObjects=true",
    "transfer.bundleURI=false",
    "gc.auto=0",
    "maintenance.auto=false",
    "advice.detachedHead=false",
)
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")


def fetch_preset(address: GitAddress) -> tuple[GitAddress, Preset]:
    """Fetch a preset and keep it; a branch or tag is taken at the commit that it stands for now.

    Raises UsageError where git cannot, where there is no preset at the path, and where it holds
    what no preset may: links, submodules, files of Git LFS, too much.
    """
    with tempfile.TemporaryDirectory(prefix="sftrecipe-preset-") as folder:
        git = _Git(address, Path(folder))
        pinned = address if address.is_pinned else address.at(_commit_of(git))
        git = _Git(pinned, Path(folder))
        _fetch(git)
        try:
            with git.reader() as read:
                found = CommitFiles(pinned.revision, pinned.path, read)
            contents = _contents(git, found)
        except UnfitTree as error:
            raise UsageError(error.slug, path=error.path, address=str(pinned)) from error
        if not any(name in (RECIPE, Path(pinned.path).name) for name in found.files):
            raise UsageError("git-no-path", path=pinned.path or ".", address=str(pinned))
        return pinned, keep_preset(address, pinned, found, contents)


def _commit_of(git: _Git) -> str:
    """The commit that a branch, a tag or a commit's first digits stand for, asked of the server.

    Raises UsageError where there is none.
    """
    told = git.run("ls-remote", "--", git.address.url).decode("utf-8", "replace")
    pairs = (line.split("\t", 1) for line in told.splitlines() if "\t" in line)
    names = {name: commit for commit, name in pairs if _COMMIT.fullmatch(commit)}
    wanted = git.address.revision or "HEAD"
    for begin in ("refs/tags/{}^{{}}", "refs/tags/{}", "refs/heads/{}", "{}"):
        if commit := names.get(begin.format(wanted)):
            return commit
    begun = {each for each in names.values() if len(wanted) >= 7 and each.startswith(wanted)}
    if len(begun) == 1:
        return begun.pop()
    raise UsageError("git-no-revision", address=str(git.address), revision=wanted)


def _fetch(git: _Git) -> None:
    """The commit, in a repository that holds nothing else."""
    form = ("--object-format=sha256",) if len(git.address.revision) == 64 else ()  # git >= 2.29
    git.run("init", "--bare", "--quiet", "--template=", *form, "--", git.path)
    words = ("fetch", "--quiet", "--no-tags")
    try:
        git.run(*git.within, *words, "--depth=1", "--", git.address.url, git.address.revision)
    except UsageError as error:
        if error.problem.slug != "git-failed":
            raise
        # A server that hands out no single commits: all branches and tags.
        every = ("+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*")
        git.run(*git.within, *words, "--", git.address.url, *every)
        try:
            git.run(*git.within, "cat-file", "-e", f"{git.address.revision}^{{commit}}")
        except UsageError:
            values = {"address": str(git.address), "revision": git.address.revision}
            raise UsageError("git-no-revision", **values) from error


def _contents(git: _Git, found: CommitFiles) -> dict[str, bytes]:
    """The files' contents by the names of their objects. Raises UnfitTree, UsageError."""
    objects = list(dict.fromkeys(found.files.values()))
    told = git.run(
        *git.within,
        "cat-file",
        "--batch-check=%(objectname) %(objectsize)",
        given="".join(f"{name}\n" for name in objects),
    ).split()
    sizes = {name.decode(): int(size) for name, size in zip(told[::2], told[1::2], strict=True)}
    total = sum(sizes[name] for name in found.files.values())
    if len(found.files) > MOST_FILES:
        raise UnfitTree("git-too-many", str(len(found.files)))
    if total > MOST_BYTES:
        raise git.too_large(f"{total / _MB:.0f} MB", MOST_BYTES)
    with git.reader() as read:
        contents = {name: read(name) for name in objects}
    for path, name in found.files.items():
        if contents[name].startswith(_LFS):
            raise UnfitTree("git-lfs", path)
    return contents


class _Reader:
    """Contents of objects, one after another, of one process."""

    def __init__(self, process: subprocess.Popen[bytes]) -> None:
        self._process = process

    def __call__(self, name: str) -> bytes:
        asked, told = self._process.stdin, self._process.stdout
        if asked is None or told is None or not _COMMIT.fullmatch(name):
            raise UnfitTree("git-unreadable", name)
        with suppress(BrokenPipeError):  # it ended, and tells nothing
            asked.write(f"{name}\n".encode())
            asked.flush()
        words = told.readline().split()
        if len(words) != 3 or int(words[2]) > MOST_BYTES:
            raise UnfitTree("git-unreadable", name)
        content = told.read(int(words[2]))
        told.read(1)
        return content


class _Git:
    """The git executable, asked in a folder of its own, so that no repository around it counts."""

    def __init__(self, address: GitAddress, folder: Path) -> None:
        self.address = address
        self._folder = folder
        self.path = str(folder / "repository")
        self.within = (f"--git-dir={self.path}",)

    def run(self, *words: str, given: str = "") -> bytes:
        """What git prints. Raises UsageError where it fails, takes too long or grows too large."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as errors:
            process = self._started(words, out, errors)
            try:
                if process.stdin:
                    with suppress(BrokenPipeError):
                        process.stdin.write(given.encode())
                        process.stdin.close()
                self._wait(process)
            finally:
                _end(process)
            out.seek(0)
            errors.seek(0)
            if process.returncode:
                reason = _reason(errors.read(64_000).decode("utf-8", "replace"))
                reason = reason or f"git: {process.returncode}"
                raise UsageError("git-failed", address=str(self.address), error=reason)
            return out.read(MOST_BYTES)

    @contextmanager
    def reader(self) -> Iterator[_Reader]:
        """Reads objects by their names."""
        process = self._started((*self.within, "cat-file", "--batch"), subprocess.PIPE)
        try:
            yield _Reader(process)
        finally:
            for pipe in (process.stdin, process.stdout):
                if pipe:
                    with suppress(BrokenPipeError):
                        pipe.close()
            _end(process)

    def too_large(self, size: str, limit: int) -> UsageError:
        """The error of a preset or a repository that is larger than it may be."""
        values = {"size": size, "limit": f"{limit // _MB} MB"}
        return UsageError("git-too-large", address=str(self.address), **values)

    def _started(
        self, words: Sequence[str], out: int | IO[bytes], errors: int | IO[bytes] = _NOWHERE
    ) -> subprocess.Popen[bytes]:
        settings = (*_SETTINGS, f"protocol.{self.address.scheme}.allow=always")
        command = ["git", *(word for each in settings for word in ("-c", each)), *words]
        try:
            return subprocess.Popen(  # noqa: S603 - of a checked address
                command,
                stdin=subprocess.PIPE,
                stdout=out,
                stderr=errors,
                env=self._environment(),
                cwd=self._folder,
                start_new_session=True,  # without a terminal, which would be asked for passwords
            )
        except FileNotFoundError as error:
            raise UsageError("git-missing", address=str(self.address)) from error

    def _environment(self) -> dict[str, str]:
        return {
            **git_environment(),
            "GIT_ALLOW_PROTOCOL": self.address.scheme,
            "GIT_CEILING_DIRECTORIES": str(self._folder),
            "GIT_TERMINAL_PROMPT": "0",
            "GIT_LFS_SKIP_SMUDGE": "1",
            "GIT_NO_LAZY_FETCH": "1",
            "LC_ALL": "C",
        }

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        began = time.monotonic()
        while True:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.2)
                return
            if time.monotonic() - began > MOST_SECONDS:
                limit = f"{MOST_SECONDS:.0f} s"
                raise UsageError("git-failed", address=str(self.address), error=limit)
            if _size(self._folder) > MOST_FETCHED:
                raise self.too_large(f"> {MOST_FETCHED // _MB} MB", MOST_FETCHED)


def _end(process: subprocess.Popen[bytes]) -> None:
    """End it with the processes that it started, if it is still there."""
    if process.poll() is None:
        with suppress(OSError, AttributeError):
            os.killpg(process.pid, 9)
        process.kill()
        process.wait()


def _size(folder: Path) -> int:
    total = 0
    for root, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += (Path(root) / name).lstat().st_size
    return total


def _reason(told: str) -> str:
    """The line of git's that says why; empty where none does."""
    lines = [line.strip() for line in told.splitlines() if line.strip().isprintable()]
    said = (line for line in lines if line and not line.lower().startswith("warning:"))
    return next(said, "")[:300]
