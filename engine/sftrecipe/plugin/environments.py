"""Where the Python environments lie that `sftrecipe env` makes, for all projects of a user."""

from __future__ import annotations

import os
import sys
from pathlib import Path


def made_environment(name: str) -> Path:
    """The folder of an environment in the user's own data folder.

    Not in a project: a recipe may come from a stranger together with its project's folder, and
    nothing that lies there is started unasked.
    """
    home = Path.home()
    if sys.platform == "win32":
        data = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        data = home / "Library" / "Application Support"
    else:
        data = Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
    return data / "sftrecipe" / "envs" / name
