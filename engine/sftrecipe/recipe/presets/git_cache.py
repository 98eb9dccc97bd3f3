"""Presets that were fetched from git, kept for all projects and checked at every use."""

from __future__ import annotations

import base64
import json
import os
import secrets
import shutil
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from sftrecipe.plugin.environments import user_data
from sftrecipe.plugin.regular_files import open_regular
from sftrecipe.recipe.presets.git_address import BadAddress, GitAddress, git_address
from sftrecipe.recipe.presets.git_objects import CommitFiles, UnfitTree, object_id
from sftrecipe.recipe.presets.preset import MOST_BYTES, RECIPE, Preset

_FILES, _PROOF = "files", "proof.json"
_LONGEST_PROOF = 16_000_000
_LEFT_AFTER = 3600.0
"""Seconds after which nobody writes there any more."""


class ChangedCache(Exception):
    """What is kept does not hold what its commit says."""


@dataclass(frozen=True)
class KeptPreset:
    """A preset of the cache, and what was asked for when it was fetched."""

    address: GitAddress
    asked: GitAddress

    @property
    def name(self) -> str:
        """The preset's name."""
        return _name(self.address)


def kept_preset(address: GitAddress) -> Preset | None:
    """The preset of a pinned address; None where it was never fetched.

    Raises ChangedCache where one of its files, or their names, are not those of the commit: its
    objects are hashed down from the commit, so that nothing kept is believed.
    """
    folder = _folder(address)
    if not (folder / _PROOF).is_file():
        return None
    try:
        _check(folder, address)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, UnfitTree) as error:
        raise ChangedCache(str(error)) from error
    return _preset(folder, address)


def keep_preset(
    asked: GitAddress, address: GitAddress, found: CommitFiles, contents: Mapping[str, bytes]
) -> Preset:
    """Keep the files of a preset, whole or not at all; `contents` by the names of objects.

    Another process may do the same: what stands and is right stays.
    """
    target = _folder(address)
    _clear(target.parent)
    new = target.parent / f".new-{secrets.token_hex(8)}"
    try:
        for name, object_name in found.files.items():
            path = new / _FILES / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(contents[object_name])
            path.chmod(0o444)
        trail = {name: base64.b64encode(held).decode() for name, held in found.trail.items()}
        proof = {"address": str(address), "asked": str(asked), "trail": trail}
        (new / _PROOF).write_text(json.dumps(proof, indent=1) + "\n", encoding="utf-8")
        _put_in_place(new, target, address)
    finally:
        shutil.rmtree(new, ignore_errors=True)
    return _preset(target, address)


def kept_presets() -> list[KeptPreset]:
    """Every address that was fetched, by name; what cannot be read is left out."""
    found = []
    for proof in sorted(user_data("presets").glob(f"*/*/{_PROOF}")):
        with suppress(OSError, ValueError, KeyError, TypeError, BadAddress):
            told = json.loads(proof.read_text(encoding="utf-8"))
            found.append(KeptPreset(git_address(told["address"]), git_address(told["asked"])))
    return sorted(found, key=lambda kept: str(kept.address))


def kept_bytes() -> tuple[Path, int]:
    """The folder of all that was fetched, for all projects, and how much it is."""
    folder = user_data("presets")
    files = (path for path in folder.glob("**/*") if path.is_file() and not path.is_symlink())
    return folder, sum(path.stat().st_size for path in files)


def _clear(folder: Path) -> None:
    """Remove what killed processes left there a while ago."""
    for left in (*folder.glob(".new-*"), *folder.glob(".old-*")):
        with suppress(OSError):
            if time.time() - left.stat().st_mtime > _LEFT_AFTER:
                shutil.rmtree(left, ignore_errors=True)


def _put_in_place(new: Path, target: Path, address: GitAddress) -> None:
    """Give the files their place, unless what stands there is right: others may be reading it."""
    if _takes_place(new, target):
        return
    with suppress(ChangedCache):
        if kept_preset(address) is not None:
            return
    old = new.with_name(f".old-{secrets.token_hex(8)}")  # what no commit holds
    with suppress(OSError):
        target.replace(old)
    shutil.rmtree(old, ignore_errors=True)
    if not _takes_place(new, target) and kept_preset(address) is None:
        new.replace(target)  # it tells why not


def _takes_place(new: Path, target: Path) -> bool:
    """Whether the name was free: a folder that holds something is not replaced."""
    try:
        new.replace(target)
    except OSError:
        return False
    return True


def _folder(address: GitAddress) -> Path:
    """By commit and path: wherever a repository lies, its commit holds the same."""
    path = sha256(address.path.encode()).hexdigest()[:16]
    return user_data("presets", address.revision, path)


def _preset(folder: Path, address: GitAddress) -> Preset:
    last = Path(address.path).name
    file = last if last.endswith(".yaml") else RECIPE
    return Preset(_name(address), folder / _FILES / file, "git", str(address))


def _name(address: GitAddress) -> str:
    """What an address calls a preset by its last step, the recipe's file aside."""
    path = Path(address.path)
    if path.name == RECIPE:
        return path.parent.name or Path(address.place).name.removesuffix(".git")
    return Path(address.path or address.place).name.removesuffix(".git").removesuffix(".yaml")


def _check(folder: Path, address: GitAddress) -> None:
    """Raises UnfitTree, or what reading raises, where the folder is not that of the commit."""
    with open_regular(folder / _PROOF) as file:
        trail = json.loads(file.read(_LONGEST_PROOF))["trail"]
    commit = address.revision
    found = CommitFiles(commit, address.path, lambda name: base64.b64decode(trail[name]))
    if _lying(folder / _FILES) != found.files.keys():
        raise UnfitTree("preset-changed", _FILES)
    for name, object_name in found.files.items():
        with open_regular(folder / _FILES / name) as file:
            content = file.read(MOST_BYTES + 1)
        if object_id("blob", content, len(commit)) != object_name:
            raise UnfitTree("preset-changed", name)


def _lying(folder: Path) -> set[str]:
    """The files of a folder. Raises UnfitTree at a link."""
    found = set()
    for root, folders, names in os.walk(folder):
        for name in (*folders, *names):
            if (Path(root) / name).is_symlink():
                raise UnfitTree("git-link", name)
        found |= {(Path(root) / name).relative_to(folder).as_posix() for name in names}
    return found
