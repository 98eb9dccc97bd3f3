"""The arguments that trainings may be given here: the training environment's, or v1's."""

from __future__ import annotations

from functools import lru_cache

from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.table import from_environment, shipped
from sftrecipe_registry.llamafactory.training.environment import training_site_packages
from sftrecipe_registry.llamafactory.v1.config import with_own_names
from sftrecipe_registry.llamafactory.v1.version import speaks_v1


@lru_cache(maxsize=1)
def argument_table() -> ArgumentTable:
    """The arguments of the training environment's LLaMA-Factory, else of the shipped snapshot."""
    folder = training_site_packages()
    if speaks_v1():
        return with_own_names(folder)
    return shipped() if folder is None else from_environment(folder)
