"""What is done with a model after its training: other forms of it, and its way to a hub."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Hub = Literal["huggingface", "modelscope"]
Publication = Literal["merged", "adapter"]


def _unheard(_: str) -> None:
    """Words that nobody waits for."""


@dataclass(frozen=True)
class ModelCopy:
    """Another form of a trained model."""

    model: Path
    """The folder of the whole model, as the training left it."""
    target: Path
    """The file or folder to write; it appears when it is whole."""
    numbers: str
    """What its numbers are to be, in the trainer's words."""
    name: str
    """What the model is called."""
    run: Path
    """The run's output folder, with the training's configuration."""
    id: str = "train"
    """The train block's."""
    say: Callable[[str], None] = _unheard
    """One line that tells the user what is being waited for."""


@dataclass(frozen=True)
class ModelUpload:
    """A folder that becomes what a hub's repository holds."""

    hub: Hub
    repository: str
    """`OWNER/NAME`."""
    private: bool
    """Where the repository is made anew; one that is public is not sent to as private."""
    folder: Path
    say: Callable[[str], None] = _unheard
