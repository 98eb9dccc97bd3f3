"""What of a trained model goes to a hub: its files, and a folder that holds them and no others."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

CARD = "README.md"


@dataclass(frozen=True)
class PublishedFiles:
    """Files by the name that they have on the hub: where they lie, or what they hold."""

    files: Mapping[str, Path | bytes]

    def sizes(self) -> dict[str, int]:
        """Bytes of each, by name."""
        return {
            name: len(content) if isinstance(content, bytes) else content.stat().st_size
            for name, content in sorted(self.files.items())
        }

    def stage(self, folder: Path) -> None:
        """Put them into an empty folder; what lies elsewhere is linked to, not copied."""
        for name, content in self.files.items():
            if isinstance(content, bytes):
                (folder / name).write_bytes(content)
            else:
                (folder / name).symlink_to(content.resolve())
