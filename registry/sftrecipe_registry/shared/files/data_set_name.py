"""Names of data sets: of files, and of catalogue entries that LLaMA-Factory lists with commas."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import StringConstraints

Name = Annotated[str, StringConstraints(pattern=r"^\w[\w.-]*$", max_length=100)]

_FOREIGN = re.compile(r"[^\w.-]+")


def data_set_name(asked: str | None, recipe: str) -> str:
    """The name that the options ask for, or one made of the recipe's."""
    return asked or _FOREIGN.sub("_", recipe).strip("_.-")[:100] or "data"
