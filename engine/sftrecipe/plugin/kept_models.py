"""Trained models by key in an output folder, and the links that point at the current ones.

`models/KEY` holds one training: what it left, or how far it came. `model`, or how a train block's
folder is called, is a symbolic link to the current one, replaced in one step. A note in each
folder says whose it is; a folder without one is somebody else's.
"""

from __future__ import annotations

import errno
import filecmp
import json
import os
import re
import secrets
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any, Self

KEPT = "models"
"""The folder of all of them, in the output folder."""
NOTE = ".sftrecipe.json"
FREED = "freed"
"""Why a folder was set aside: it is being deleted."""
MIXED = "mixed"
"""The same: its data changed while it was trained."""
COPIED = "copied"
"""The same: a copy of the output folder made it of the link, and it is no longer like the model."""
_KEY = re.compile(r"[0-9a-f]{32}")
LINKLESS = {errno.EPERM, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL, errno.EACCES}
"""What a system says that makes no symbolic links here."""


@dataclass(frozen=True)
class ModelNote:
    """What a training notes of itself in its folder."""

    fingerprint: str = ""
    """Of its settings, the weights that it starts from and its data: the folder's key."""
    name: str = ""
    """The link that points at it while it is current, from the output folder on."""
    done: bool = False
    """Whether it was trained to its end."""
    resumed: bool = False
    """Whether it went on from a checkpoint."""
    seconds: float = 0.0
    """How long it took, all attempts together."""
    spare: tuple[str, ...] = ()
    """Patterns of what nobody needs in its folder once it is done."""
    seal: str = ""
    """Of the weights as the training left them, in the trainer's own way."""
    made_by: Mapping[str, Any] = field(default_factory=dict)
    """What the engine says of the step that had it trained."""

    @classmethod
    def from_json(cls, found: Mapping[str, Any]) -> Self:
        """What was written; what is no such value is left out."""
        kept: dict[str, Any] = {
            each.name: found[each.name]
            for each in fields(cls)
            if isinstance(found.get(each.name), _TYPES[each.name])
        }
        if "spare" in kept:
            kept["spare"] = tuple(text for text in kept["spare"] if isinstance(text, str))
        return cls(**kept)


_TYPES: Mapping[str, type | tuple[type, ...]] = {
    **dict.fromkeys(("fingerprint", "name", "seal"), str),
    **dict.fromkeys(("done", "resumed"), bool),
    "seconds": (int, float),
    "spare": list,
    "made_by": dict,
}


@dataclass(frozen=True)
class KeptModel:
    """The folder of one training."""

    run: Path
    """The output folder."""
    key: str

    @property
    def folder(self) -> Path:
        """Where it lies."""
        return self.run / KEPT / self.key

    @property
    def note(self) -> ModelNote:
        """What it notes of itself; empty where there is none."""
        return read_model_note(self.folder)

    def write_note(self, note: ModelNote, *, time_ns: int | None = None) -> None:
        """Note it, as of another time where one is given; makes the folder where it is missing."""
        self.folder.mkdir(parents=True, exist_ok=True)
        new = self.folder / f"{NOTE}.new"
        new.write_text(json.dumps(asdict(note), default=str), "utf-8")
        if time_ns is not None:
            os.utime(new, ns=(time_ns, time_ns))
        new.replace(self.folder / NOTE)

    def rename_note(self, name: str) -> None:
        """Note the link's name, where another is noted or none, as earlier versions did."""
        if self.note.name != name:
            time_ns = (self.folder / NOTE).stat().st_mtime_ns
            self.write_note(replace(self.note, name=name), time_ns=time_ns)

    def set_aside(self, why: str) -> Path:
        """Give the folder a name beside its key; where it lies now."""
        aside = self.folder.with_name(f"{self.key}.{why}-{secrets.token_hex(4)}")
        self.folder.rename(aside)
        return aside

    def shown(self, folder: Path) -> Path:
        """A folder in it as the link shows it, where that points here."""
        if not self.current:
            return folder
        return self.run / self.note.name / folder.relative_to(self.folder)

    def point(self, name: str) -> None:
        """Let the link of that name point here, in one step.

        Raises FileExistsError where something else stands there; OSError where the system makes no
        links (`LINKLESS`).
        """
        link = self.run / name
        if current_model(self.run, name) == self:
            return
        if os.path.lexists(link) and not is_model_link(self.run, link):
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(link))
        link.parent.mkdir(parents=True, exist_ok=True)
        for leftover in link.parent.glob(f".{link.name}.????????.link"):
            leftover.unlink(missing_ok=True)
        new = link.with_name(f".{link.name}.{secrets.token_hex(4)}.link")
        new.symlink_to(os.path.relpath(self.folder, link.parent), target_is_directory=True)
        try:
            new.replace(link)
        except OSError:
            new.unlink(missing_ok=True)
            raise

    def remove(self) -> None:
        """Delete it, and the link where that points here."""
        if self.current:
            (self.run / self.note.name).unlink()
        if self.folder.is_dir():
            shutil.rmtree(self.set_aside(FREED), ignore_errors=True)

    @property
    def current(self) -> bool:
        """Whether its link points here."""
        name = self.note.name
        return bool(name) and current_model(self.run, name) == self

    def take_over(self, name: str) -> None:
        """Move in what an earlier version left as a folder of that name, and link it there.

        It stays where it is on a system that makes no links. Who copied the output folder and
        followed its links has the model twice: what is alike is deleted, else set aside.
        """
        old = self.run / name
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        if self.note.done or not read_model_note(old).done:
            if _holds(self.folder):
                self._clear_copy(old)
                self.point(name)
                self.rename_note(name)
                return
        elif _holds(self.folder):
            self.set_aside(COPIED)
        old.rename(self.folder)
        try:
            self.point(name)
        except OSError:
            self.folder.rename(old)
            raise
        self.rename_note(name)

    def _clear_copy(self, copy: Path) -> None:
        """Delete a copy of it, which is set aside where it is no longer one."""
        alike = _is_held_in(copy, self.folder)
        why = FREED if alike else COPIED
        aside = self.folder.with_name(f"{self.key}.{why}-{secrets.token_hex(4)}")
        copy.rename(aside)
        if alike:
            shutil.rmtree(aside, ignore_errors=True)


def _holds(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _is_held_in(copy: Path, folder: Path) -> bool:
    """Whether all files of a folder are another's as well, byte for byte; the notes aside."""
    files = (each for each in copy.rglob("*") if not each.is_dir() and each.name != NOTE)
    return all(
        (there := folder / each.relative_to(copy)).is_file() and filecmp.cmp(each, there)
        for each in files
    )


def read_model_note(folder: Path) -> ModelNote:
    """What a training's folder notes of itself; empty where there is none, or it was cut short."""
    try:
        found = json.loads((folder / NOTE).read_text("utf-8"))
    except (OSError, ValueError):
        return ModelNote()
    return ModelNote.from_json(found) if isinstance(found, dict) else ModelNote()


def kept_models(run: Path) -> Iterator[KeptModel]:
    """All of an output folder; links, and what no training noted, are left out."""
    folder = run / KEPT
    if folder.is_symlink() or not folder.is_dir():
        return
    for entry in sorted(folder.iterdir()):
        if entry.is_symlink() or not _KEY.fullmatch(entry.name):
            continue
        if read_model_note(entry).fingerprint == entry.name:
            yield KeptModel(run, entry.name)


def kept_model_of(run: Path, folder: Path) -> KeptModel | None:
    """The kept model that a folder lies in, or is."""
    try:
        first, key, *_ = folder.relative_to(run).parts
    except ValueError:
        return None
    return KeptModel(run, key) if first == KEPT and _KEY.fullmatch(key) else None


def current_model(run: Path, name: str) -> KeptModel | None:
    """The model that the link of that name points at; None where it is no link of ours."""
    link = run / name
    try:
        target = os.path.normpath(link.parent / link.readlink())
    except OSError:
        return None
    kept = kept_model_of(Path(os.path.normpath(run)), Path(target))
    return KeptModel(run, kept.key) if kept and Path(target).name == kept.key else None


def is_model_link(run: Path, path: Path) -> bool:
    """Whether a path in the output folder is a link of ours to a kept model."""
    return current_model(run, str(path.relative_to(run))) is not None
