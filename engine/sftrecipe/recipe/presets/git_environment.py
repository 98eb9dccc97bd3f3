"""The environment in which git is asked for another repository than the one around it."""

from __future__ import annotations

import os
import re

_OF_USER = re.compile(r"GIT_(SSH|SSL|ASKPASS|CONFIG|HTTP|CURL|PROXY|EXEC_PATH)")
"""Variables that are the user's settings; others name a repository that is not meant."""


def git_environment() -> dict[str, str]:
    """The user's variables without those that git sets for hooks and aliases of a repository."""
    return {
        name: value
        for name, value in os.environ.items()
        if not name.startswith("GIT_") or _OF_USER.match(name)
    }
