"""Content hashes of files, remembered for large ones by size and time."""

from __future__ import annotations

from hashlib import file_digest
from pathlib import Path

import orjson

from sftrecipe.plugin.regular_files import open_regular

_WORTH_REMEMBERING = 16 * 1024 * 1024


class FileHashes:
    """Hashes files and folders; what is remembered lies in `memory`, a JSON file."""

    def __init__(self, memory: Path) -> None:
        self._memory = memory
        self._known: dict[str, str] = {}
        if memory.exists():
            try:
                self._known = orjson.loads(memory.read_bytes())
            except orjson.JSONDecodeError:
                self._known = {}

    def of(self, path: str) -> str:
        """The hash of a file, or of all files of a folder with their names."""
        place = Path(path)
        if not place.is_dir():
            return self._file(place)
        files = sorted(file for file in place.rglob("*") if file.is_file())
        return "\n".join(f"{file.relative_to(place)} {self._file(file)}" for file in files)

    def _file(self, path: Path) -> str:
        stat = path.stat()
        if stat.st_size < _WORTH_REMEMBERING:
            return self._digest(path)
        state = f"{path.resolve()} {stat.st_size} {stat.st_mtime_ns} {stat.st_ino}"
        if state not in self._known:
            self._known[state] = self._digest(path)
            self._memory.parent.mkdir(parents=True, exist_ok=True)
            self._memory.write_bytes(orjson.dumps(self._known))
        return self._known[state]

    @staticmethod
    def _digest(path: Path) -> str:
        with open_regular(path) as file:
            return file_digest(file, "blake2b").hexdigest()[:32]
