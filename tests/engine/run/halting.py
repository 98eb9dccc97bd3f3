"""A third party's source that halts in the middle of its files, until it is let go on."""

from __future__ import annotations

import json
import time
from pathlib import Path
from subprocess import Popen
from typing import Any

from tests.support.plain_runs import Plain

PLUGIN = '''
import json, time
from pathlib import Path
from sftrecipe import Context, Source
from sftrecipe.plugin import InputPath

class Halting(Source):
    """Read JSON Lines, with a halt after the first of them."""

    path: InputPath
    """A file, or a folder of them."""

    def peek(self, ctx: Context):
        return None

    def read(self, ctx: Context):
        place, here = ctx.path(self.path), ctx.folder
        files = sorted(place.glob("*.jsonl")) if place.is_dir() else [place]
        for number, file in enumerate(files):
            with file.open() as opened:
                first = next(opened, None)
                if first is not None:
                    yield ctx.row(json.loads(first) | {"read": "VERSION"})
                if number == 0 and (here / "halt").exists():
                    (here / "halt").rename(here / "halt at the next")
                elif number == 0 and (here / "halt at the next").exists():
                    (here / "halt at the next").unlink()  # the first look was the forecast's
                    (here / "halted").touch()
                    until = time.monotonic() + 60
                    while not (here / "go").exists() and time.monotonic() < until:
                        time.sleep(0.01)
                    (here / "halted").unlink()
                for line in opened:
                    yield ctx.row(json.loads(line) | {"read": "VERSION"})
'''


class Halting(Plain):
    """A project whose source halts once if the file `halt` is there."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        info = folder / "third" / "halting-1.0.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: halting\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(
            "[sftrecipe.sources]\nhalting = halting_plugin.source:Halting\n"
        )
        self.package = folder / "third" / "halting_plugin"
        self.package.mkdir()
        (self.package / "__init__.py").write_text("")
        self.write_plugin("one")

    def write_plugin(self, version: str) -> None:
        """The plugin's source, which differs with the version, though the package's does not."""
        (self.package / "source.py").write_text(PLUGIN.replace("VERSION", version))

    def start(self, *words: str, before: str = "", **environment: str) -> Popen[str]:
        path = {"PYTHONPATH": str(self.folder / "third"), "PYTHONDONTWRITEBYTECODE": "1"}
        return super().start(*words, before=before, **(path | environment))

    def halted(self, *words: str) -> Popen[str]:
        """A run that stands in the middle of its source."""
        (self.folder / "go").unlink(missing_ok=True)
        path = json.loads((self.folder / "recipe.yaml").read_text())["sources"]["rows"]["path"]
        forecast_reads = not (self.folder / path).is_dir()
        (self.folder / ("halt" if forecast_reads else "halt at the next")).touch()
        process = self.start("run", *(words or ("recipe.yaml",)))
        while not (self.folder / "halted").exists():
            assert process.poll() is None, process.communicate()
            time.sleep(0.02)
        return process

    def let_go(self, process: Popen[str], status: int | None = 0) -> str:
        """What the run says in the end."""
        (self.folder / "go").touch()
        out, error = process.communicate(timeout=240)
        assert status in (None, process.returncode), error + out
        return error

    def use(self, **source: Any) -> None:
        """A recipe that reads by the halting source."""
        self.recipe(sources={"rows": {"use": "halting", **source}})
