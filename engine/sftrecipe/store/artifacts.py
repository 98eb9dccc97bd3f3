"""The artifacts of steps: a folder a key, whole or absent."""

from __future__ import annotations

import errno
import secrets
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, TypeVar

import orjson

from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.regular_files import open_regular
from sftrecipe.store.atomic_files import explained, locked, sync
from sftrecipe.store.file_hashes import content_hash, file_hashes
from sftrecipe.store.lock_files import LockFile, is_held, left_behind
from sftrecipe.store.step_facts import StepFacts

FACTS = "step.json"
_SEAL = "seal"
"""What shows whether the facts are as they were written."""
_EARLIEST = frozenset({"made", "kept", "rejected", "reasons", "counts", "notes", "calls"})
"""What every version wrote."""
_FactsState = tuple[int, int, int]
_Found = TypeVar("_Found")


class StepStore:
    """Finished steps on disk by key; another process may read and write the same store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.hashes = file_hashes(folder.parent / "files.json")
        self._sound: dict[str, tuple[_FactsState, StepFacts]] = {}
        """Steps that were found whole, with the state of the file that told so."""

    def path(self, key: str) -> Path:
        """Where the artifact of a key lies, or would lie."""
        return self.folder / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether the step is finished, and all that it left is there as it was."""
        if self._known(key) is not None:
            return True
        try:
            self._sound[key] = self._checked(key)
        except (OSError, ValueError, TypeError, SftrecipeError):
            return False
        return True

    def damage(self, key: str) -> str | None:
        """What is wrong with a step that was finished once; None where there is nothing wrong."""
        if self._known(key) is not None or not self.path(key).exists():
            return None
        try:
            self._checked(key)
        except FileNotFoundError as error:
            return f"{Path(error.filename).name} is gone"
        except (OSError, ValueError, TypeError, SftrecipeError) as error:
            return str(error)
        return None

    def facts(self, key: str) -> StepFacts:
        """What the finished step says of itself."""
        return self._known(key) or self._read(key)

    def replaced(self, seen: Mapping[str, StepFacts], *, of_equal: bool = True) -> str | None:
        """The first of the steps, by key, whose result is not the one that was seen any more, as
        another process replaced it; `of_equal`: also where it holds the same."""
        for key, facts in seen.items():
            now = self.facts(key) if self.has(key) else None
            if now is None or (now is not facts and (of_equal or now.content != facts.content)):
                return key
        return None

    def _known(self, key: str) -> StepFacts | None:
        """The facts of a step that was found whole, unless another process replaced it since."""
        known = self._sound.get(key)  # once: another thread may take it away
        if known is None:
            return None
        try:
            return known[1] if self._facts_state(key) == known[0] else None
        except OSError:
            return None

    def _facts_state(self, key: str) -> _FactsState:
        found = self._looked_at(key, Path.stat)
        return found.st_ino, found.st_mtime_ns, found.st_size

    def _looked_at(self, key: str, look: Callable[[Path], _Found]) -> _Found:
        """What a look at the facts of a step finds. Where there are none, it may be that another
        process is just replacing them: they are looked for again behind it."""
        path = self.path(key)
        try:
            return look(path / FACTS)
        except FileNotFoundError:
            with suppress(SftrecipeError, OSError), locked(path.parent):
                return look(path / FACTS)
            raise

    def _read(self, key: str) -> StepFacts:
        content = self._looked_at(key, _content)
        try:
            return _unsealed(orjson.loads(content))
        except (ValueError, TypeError, AttributeError) as error:
            raise ValueError(f"{FACTS} cannot be read") from error

    def _checked(self, key: str) -> tuple[_FactsState, StepFacts]:
        """The facts, the files held to them, and the state of the file that tells them.

        Raises ValueError, TypeError, OSError, SftrecipeError.
        """
        while True:
            state = self._facts_state(key)
            try:
                facts = self._held_to_files(key)
            except (OSError, ValueError, TypeError, SftrecipeError):
                if self._facts_state(key) == state:
                    raise
            else:
                return state, facts

    def _held_to_files(self, key: str) -> StepFacts:
        """The facts, the files held to them. Raises what `_checked` does."""
        facts, folder = self._read(key), self.path(key)
        for name, content in facts.files.items():
            if self.hashes.of(folder / name) != content:
                raise ValueError(f"{name} holds something else than was written")
        return facts

    @staticmethod
    def content(files: Mapping[str, str], *, without: str) -> str:
        """One hash of the files in a draft but one."""
        held = sorted((name, content) for name, content in files.items() if name != without)
        return blake2b(orjson.dumps(held), digest_size=16).hexdigest()

    @contextmanager
    def writing(self, key: str, *, again: bool = False) -> Iterator[Path]:
        """A folder to write the step into; it takes its place, whole, when the block ends.

        `finish` must have been called in it. Whatever fails leaves nothing behind. `again`: replace
        a result that is there already.
        """
        target = self.path(key)
        with explained(target):
            target.parent.mkdir(parents=True, exist_ok=True)
            _remove_abandoned(target.parent)
            draft = target.parent / f"{key}.draft-{secrets.token_hex(8)}"
            lock = LockFile(_lock_of(draft))
        try:
            with explained(target):
                draft.mkdir()
            yield draft
            while not _takes_place(draft, target):
                if self.has(key) and not again:
                    return  # another run was faster, and somebody may be reading its files
                if _replaces(draft, target):
                    break
            self._sound[key] = self._facts_state(key), self._read(key)
        finally:
            shutil.rmtree(draft, ignore_errors=True)
            lock.release()

    @staticmethod
    def finish(draft: Path, facts: StepFacts) -> None:
        """Write down what the step says of itself: it is finished, and lies safely on the disk."""
        held = facts.as_json()
        content = orjson.dumps({**held, _SEAL: _seal(held)}, option=orjson.OPT_INDENT_2)
        (draft / FACTS).write_bytes(content)
        for path in draft.iterdir():
            sync(path)
        sync(draft)


def _seal(held: Mapping[str, Any]) -> str:
    return blake2b(orjson.dumps(held, option=orjson.OPT_SORT_KEYS), digest_size=16).hexdigest()


def _unsealed(held: dict[str, Any]) -> StepFacts:
    """Facts as they were written. Raises ValueError, TypeError, AttributeError."""
    seal = held.pop(_SEAL, None)
    facts = StepFacts.from_json(held)
    if seal is None:  # earlier versions wrote none, and noted no files
        if facts.files or not held.keys() >= _EARLIEST:
            raise ValueError("not all that a step says of itself")
    elif seal != _seal(held):
        raise ValueError("not what the step said of itself")
    return facts


def _content(path: Path) -> bytes:
    with open_regular(path) as file:
        return file.read()


def files_in(draft: Path) -> dict[str, str]:
    """Hashes of a draft's files by name."""
    return {path.name: content_hash(path) for path in sorted(draft.iterdir())}


def empty(draft: Path) -> None:
    """Take everything out of a draft."""
    for path in draft.iterdir():
        path.unlink()


def _takes_place(draft: Path, target: Path) -> bool:
    """Put a finished draft into its place; False where something lies there."""
    try:
        draft.rename(target)
    except OSError as error:
        if error.errno not in (errno.EEXIST, errno.ENOTEMPTY, errno.ENOTDIR):
            raise
        return False
    sync(target.parent)
    return True


def _replaces(draft: Path, target: Path) -> bool:
    """Put a finished draft into the place of what lies there; False where another was faster.

    What lay there goes first to another name: a process that is killed in between leaves a draft
    that nobody holds.
    """
    old = target.parent / f"{target.name}.draft-{secrets.token_hex(8)}"
    with locked(target.parent):  # who finds nothing meanwhile looks again behind this
        with suppress(FileNotFoundError):
            target.rename(old)
        placed = _takes_place(draft, target)
    if old.is_dir():
        shutil.rmtree(old, ignore_errors=True)
    else:
        old.unlink(missing_ok=True)
    return placed


def is_draft_held(draft: Path) -> bool:
    """Whether a process that lives is writing a draft."""
    return is_held(_lock_of(draft))


def _lock_of(draft: Path) -> Path:
    return draft.with_name(f"{draft.name}.lock")


def _remove_abandoned(folder: Path) -> None:
    """Delete drafts of processes that were killed."""
    for path in folder.glob("*.draft-*"):
        draft = path.with_name(path.name.removesuffix(".lock"))
        with left_behind(_lock_of(draft)) as abandoned:
            if abandoned:
                shutil.rmtree(draft, ignore_errors=True)
