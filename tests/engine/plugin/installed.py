"""A plugin package of `sftrecipe plugins new`, installed as a wheel beside this environment."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

SFTRECIPE = [sys.executable, "-c", "from sftrecipe.cli.main import main; main()"]


@dataclass(frozen=True)
class Installed:
    """A package with a plugin, and where it is installed."""

    package: Path
    site: Path

    def run(self, *command: str, folder: Path | None = None) -> subprocess.CompletedProcess[str]:
        """Run a command that sees the installed package."""
        return subprocess.run(
            command,
            cwd=folder or self.site,
            env=os.environ | {"PYTHONPATH": str(self.site), "PYTHONDONTWRITEBYTECODE": "1"},
            capture_output=True,
            text=True,
            check=False,
        )

    def sftrecipe(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run `sftrecipe`."""
        return self.run(*SFTRECIPE, *arguments)


def install(package: Path, site: Path) -> Installed:
    """Build the package's wheel with its own build backend, and unpack it, as installers do."""
    build = "import sys; from hatchling.build import build_wheel; build_wheel(sys.argv[1])"
    subprocess.run([sys.executable, "-c", build, str(site)], cwd=package, check=True)
    (wheel,) = site.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(site)
    wheel.unlink()
    return Installed(package, site)
