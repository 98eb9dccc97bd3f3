"""Addresses of presets in git: `git+https://HOST/OWNER/REPO@COMMIT#PATH`, and nothing odd in it."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

_WHOLE = re.compile(
    r"git\+(?P<scheme>https|ssh|file)://"
    r"(?:(?P<user>[A-Za-z0-9_][A-Za-z0-9_.-]*)@)?"
    r"(?P<host>(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?(?::[0-9]{1,5})?)?)"
    r"(?P<place>(?:/[\w.~+-]+)+)/?"
    r"(?:@(?P<revision>[\w./+-]+))?"
    r"(?:#(?P<path>[\w./+-]*))?"
)
_REVISION = re.compile(r"\w[\w.+-]*(?:/\w[\w.+-]*)*")
_COMMIT = re.compile(r"[0-9a-f]{40}|[0-9a-f]{64}")
_REMOTE = re.compile(r"[a-z][a-z0-9+.-]*:[/\\]{2}|git[+@]|[\w.-]+@[\w.-]+:", re.IGNORECASE)
_SECRET = re.compile(r"//[^/@]*:[^/@]*@")
LONGEST = 1000


class BadAddress(ValueError):
    """What is wrong with an address: the slug of its message."""

    def __init__(self, slug: str, address: str) -> None:
        super().__init__(slug)
        self.slug = slug
        self.shown = _SECRET.sub("//…@", address)[:LONGEST]
        """The address, without a password."""


@dataclass(frozen=True)
class GitAddress:
    """A folder or file of a git repository at a revision."""

    scheme: str
    place: str
    """What stands between `://` and the revision."""
    revision: str = ""
    """A commit, a branch or a tag; empty: the repository's default branch."""
    path: str = ""

    @property
    def url(self) -> str:
        """What git is given."""
        return f"{self.scheme}://{self.place}"

    @property
    def is_pinned(self) -> bool:
        """Whether the revision is a whole commit."""
        return bool(_COMMIT.fullmatch(self.revision))

    def at(self, commit: str) -> GitAddress:
        """The same at a commit."""
        return replace(self, revision=commit)

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        path = f"#{self.path}" if self.path else ""
        return f"git+{self.url}{revision}{path}"


def is_remote(value: str) -> bool:
    """Whether a text is an address, right or wrong, and no path."""
    return bool(_REMOTE.match(value))


def git_address(value: str) -> GitAddress:
    """The address that a text is. Raises BadAddress."""
    if _SECRET.search(value) or re.match(r"git\+https://[^/]*@", value):
        raise BadAddress("git-credentials", value)
    whole = _WHOLE.fullmatch(value) if len(value) <= LONGEST else None
    if whole is None:
        is_git = value.lower().startswith("git+") and value.isprintable()
        raise BadAddress("git-address" if is_git else "extends-remote", value)
    scheme, user, host = whole["scheme"], whole["user"], whole["host"]
    if bool(host) == (scheme == "file") or (user and scheme != "ssh") or ".." in host:
        raise BadAddress("git-address", value)
    path, revision = (whole["path"] or "").strip("/"), whole["revision"] or ""
    if not _is_tidy(whole["place"][1:]) or (path and not _is_tidy(path)):
        raise BadAddress("git-address", value)
    if revision and (not _REVISION.fullmatch(revision) or ".." in revision):
        raise BadAddress("git-address", value)
    place = f"{f'{user}@' if user else ''}{host}{whole['place']}"
    return GitAddress(scheme, place, revision, path)


def _is_tidy(path: str) -> bool:
    """Whether no step of a path leads back, starts an option or is git's own."""
    steps = path.split("/")
    return all(
        step not in ("", ".", "..") and step[0] != "-" and step.lower() != ".git" for step in steps
    )
