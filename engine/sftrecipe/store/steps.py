"""The artifacts of steps: a folder a key, whole or absent."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, field
from hashlib import blake2b, file_digest
from pathlib import Path
from typing import Any

import orjson


@dataclass(frozen=True)
class StepFacts:
    """What a finished step says of itself."""

    made: int = 0
    """Rows that it read (filters, mix) or found (sources, generators)."""
    kept: int = 0
    rejected: int = 0
    set_aside: int = 0
    """Rows of a source that its `sample` did not draw."""
    seconds: float = 0.0
    reasons: Mapping[str, int] = field(default_factory=dict)
    """Rejected rows by reason."""
    counts: Mapping[str, int] = field(default_factory=dict)
    """What the plugin counted."""
    notes: Mapping[str, Any] = field(default_factory=dict)
    calls: Mapping[str, Any] = field(default_factory=dict)
    """Calls asked, cached, failed; tokens; cost."""
    content: str = ""
    """Hash of what it holds, rejects left out: what others read."""
    read: Mapping[str, str] = field(default_factory=dict)
    """What the streams held that it read, by name."""


class StepStore:
    """Finished steps on disk by key; another process may read and write the same store."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def path(self, key: str) -> Path:
        """Where the artifact of a key lies, or would lie."""
        return self.folder / key[:2] / key

    def has(self, key: str) -> bool:
        """Whether the step is finished."""
        return (self.path(key) / "step.json").exists()

    def facts(self, key: str) -> StepFacts:
        """What the finished step says of itself."""
        return StepFacts(**orjson.loads((self.path(key) / "step.json").read_bytes()))

    @staticmethod
    def content(draft: Path, *, without: str) -> str:
        """A hash of the files in a draft but one."""
        digest = blake2b(digest_size=16)
        for path in sorted(draft.iterdir()):
            if path.name != without:
                with path.open("rb") as file:
                    digest.update(path.name.encode() + file_digest(file, "blake2b").digest())
        return digest.hexdigest()

    @contextmanager
    def writing(self, key: str, *, again: bool = False) -> Iterator[Path]:
        """A folder to write the step into; it takes its place, whole, when the block ends.

        `finish` must have been called in it. Whatever fails leaves nothing behind. `again`: replace
        a result that is there already.
        """
        target = self.path(key)
        target.parent.mkdir(parents=True, exist_ok=True)
        self._remove_abandoned(target.parent)
        draft = target.parent / f"{key}.draft-{os.getpid()}"
        shutil.rmtree(draft, ignore_errors=True)
        draft.mkdir()
        try:
            yield draft
            if self.has(key) and not again:
                return  # another process was faster, and somebody may be reading its files
            with suppress(FileNotFoundError):
                shutil.rmtree(target)
            draft.rename(target)
        finally:
            shutil.rmtree(draft, ignore_errors=True)

    @staticmethod
    def finish(draft: Path, facts: StepFacts) -> None:
        """Write down what the step says of itself: it is finished."""
        content = orjson.dumps(asdict(facts), option=orjson.OPT_INDENT_2)
        (draft / "step.json").write_bytes(content)

    @staticmethod
    def _remove_abandoned(folder: Path) -> None:
        """Delete drafts of processes that were killed."""
        for draft in folder.glob("*.draft-*"):
            writer = int(draft.name.rpartition("-")[2])
            if writer != os.getpid() and not _alive(writer):
                shutil.rmtree(draft, ignore_errors=True)


def _alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
