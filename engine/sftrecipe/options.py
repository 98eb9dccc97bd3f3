"""The former place of names that are in `sftrecipe.plugin` now; gone with the next version."""

from typing import TYPE_CHECKING, Any
from warnings import warn

import sftrecipe.plugin

if TYPE_CHECKING:
    from sftrecipe.plugin import *  # noqa: F403


def __getattr__(name: str) -> Any:
    if name not in sftrecipe.plugin.__all__:
        raise AttributeError(f"module 'sftrecipe.options' has no attribute '{name}'")
    warn(f"{name} is in sftrecipe.plugin; sftrecipe.options goes", DeprecationWarning, stacklevel=2)
    return getattr(sftrecipe.plugin, name)
