"""Repositories of tests, by the real git."""

from __future__ import annotations

import subprocess
from pathlib import Path

_SETTINGS = ("user.name=a", "user.email=a@example.org", "commit.gpgSign=false")


def git(folder: Path, *words: str) -> str:
    """What git says in a folder. It must end well."""
    settings = [word for setting in _SETTINGS for word in ("-c", setting)]
    command = ["git", "-C", str(folder), *settings, *words]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def committed(folder: Path) -> str:
    """The commit of all that stands in a repository's folder."""
    git(folder, "add", "-A")
    git(folder, "commit", "-qm", "x")
    return git(folder, "rev-parse", "HEAD")
