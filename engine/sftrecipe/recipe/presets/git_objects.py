"""Git's objects, whose names are hashes of what they hold: what a commit says of a folder."""

from __future__ import annotations

import hashlib
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import NamedTuple

from sftrecipe.recipe.presets.preset import MOST_FILES

MOST_DEPTH = 20
_LONGEST_NAME = 200
_FOLDER, _FILES = "40000", ("100644", "100755")
_SUBMODULE, _LINK = "160000", "120000"

Read = Callable[[str], bytes]
"""The content of an object by its name."""


class UnfitTree(Exception):
    """Something in the tree that no preset may hold, or that does not fit its name."""

    def __init__(self, slug: str, path: str) -> None:
        super().__init__(f"{slug}: {path}")
        self.slug = slug
        self.path = path


class TreeEntry(NamedTuple):
    """One line of a folder: what it is, and the object that holds it."""

    mode: str
    id: str


def object_id(kind: str, content: bytes, length: int) -> str:
    """The name of an object: SHA-1 of 40 digits, or SHA-256 of 64."""
    made = hashlib.sha1(usedforsecurity=False) if length == 40 else hashlib.sha256()
    made.update(f"{kind} {len(content)}\0".encode())
    made.update(content)
    return made.hexdigest()


def tree_of_commit(content: bytes) -> str:
    """The folder that a commit holds. Raises UnfitTree."""
    word, _, rest = content.partition(b" ")
    name = rest.partition(b"\n")[0].decode("ascii", "replace")
    if word != b"tree":
        raise UnfitTree("git-unreadable", "commit")
    return name


def entries(content: bytes, length: int) -> dict[str, TreeEntry]:
    """The lines of a folder by their names. Raises UnfitTree."""
    found: dict[str, TreeEntry] = {}
    folded: set[str] = set()
    at, size = 0, length // 2
    while at < len(content):
        space, end = content.find(b" ", at), content.find(b"\0", at)
        if not at < space < end or end + 1 + size > len(content):
            raise UnfitTree("git-unreadable", "tree")
        name = _checked_name(content[space + 1 : end])
        same = unicodedata.normalize("NFC", name).casefold()
        if same in folded:
            raise UnfitTree("git-name", name)
        folded.add(same)
        mode = content[at:space].decode("ascii", "replace").lstrip("0")
        found[name] = TreeEntry(mode, content[end + 1 : end + 1 + size].hex())
        at = end + 1 + size
    return found


def _checked_name(written: bytes) -> str:
    """A name that can lie in a folder of any system. Raises UnfitTree."""
    name = written.decode("utf-8", "replace")
    odd = not name.isprintable() or set(name) & set('/\\:*?"<>|\ufffd') or name[-1:] in ". "
    if not name or odd or len(name) > _LONGEST_NAME or name.lower() == ".git":
        raise UnfitTree("git-name", name[:_LONGEST_NAME])
    return name


class CommitFiles:
    """The files of one preset in a commit: a folder, or `NAME.yaml` with the folder `NAME`.

    Every object that is read is checked against its name, from the commit down.
    """

    def __init__(self, commit: str, path: str, read: Read) -> None:
        self._commit = commit
        self._length = len(commit)
        self._read = read
        self._seen = 0
        self.trail: dict[str, bytes] = {}
        """The commit and every folder that was read, by name."""
        self.files: Mapping[str, str] = dict(self._files(path))
        """Objects of the files by their paths."""

    def _object(self, kind: str, name: str) -> bytes:
        content = self._read(name)
        if object_id(kind, content, self._length) != name:
            raise UnfitTree("git-unreadable", name)
        self.trail[name] = content
        return content

    def _tree(self, name: str) -> dict[str, TreeEntry]:
        return entries(self._object("tree", name), self._length)

    def _files(self, path: str) -> Iterator[tuple[str, str]]:
        tree = tree_of_commit(self._object("commit", self._commit))
        steps = [step for step in path.split("/") if step]
        part = steps.pop() if steps and steps[-1].endswith(".yaml") else None
        for step in steps:
            found = self._tree(tree).get(step)
            if found is None or found.mode != _FOLDER:
                raise UnfitTree("git-no-path", path)
            tree = found.id
        if part is None or part == "recipe.yaml":
            yield from self._below(tree, "", 0)
            return
        beside = self._tree(tree)
        if part not in beside:
            raise UnfitTree("git-no-path", path)
        yield part, self._file(beside[part], part)
        own = part.removesuffix(".yaml")
        if own in beside and beside[own].mode == _FOLDER:
            yield from self._below(beside[own].id, f"{own}/", 0)

    def _below(self, tree: str, before: str, depth: int) -> Iterator[tuple[str, str]]:
        if depth > MOST_DEPTH:
            raise UnfitTree("git-too-deep", before)
        for name, entry in self._tree(tree).items():
            path = f"{before}{name}"
            self._seen += 1
            if self._seen > 2 * MOST_FILES:
                raise UnfitTree("git-too-many", path)
            if entry.mode == _FOLDER:
                yield from self._below(entry.id, f"{path}/", depth + 1)
            else:
                yield path, self._file(entry, path)

    def _file(self, entry: TreeEntry, path: str) -> str:
        if entry.mode == _LINK:
            raise UnfitTree("git-link", path)
        if entry.mode == _SUBMODULE:
            raise UnfitTree("git-submodule", path)
        if entry.mode not in _FILES:
            raise UnfitTree("git-unreadable", path)
        return entry.id
