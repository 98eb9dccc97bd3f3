"""DataFlex as its environment has it: its further arguments, and the components that it ships."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from sftrecipe_registry.llamafactory.arguments.argument import ArgumentTable
from sftrecipe_registry.llamafactory.arguments.current_table import argument_table
from sftrecipe_registry.llamafactory.training.environment import training_site_packages

BUCKETS = {"dynamic_select": "selectors", "dynamic_weight": "weighters"}
"""What a component is for, as its file calls it, by `train_type`. `dynamic_mix` weighs data sets
against one another, and a recipe exports one."""
KNOWN = {"dynamic_select": ("loss", "delta_loss", "random"), "dynamic_weight": ("loss",)}
"""Those that compute with rows and losses alone: others ask servers, or read files of their own."""
_PLACE = "cache_dir"


def dataflex_folder() -> Path | None:
    """Where the training environment has DataFlex; None: it has none."""
    from sftrecipe_registry.llamafactory.arguments.sources import (  # noqa: PLC0415 - parses Python
        package_folder,
    )

    site_packages = training_site_packages()
    return None if site_packages is None else package_folder(site_packages, "dataflex")


@lru_cache(maxsize=1)
def dataflex_table() -> ArgumentTable:
    """LLaMA-Factory's arguments and DataFlex's, read from source; none of it is imported."""
    from sftrecipe_registry.llamafactory.arguments.sources import (  # noqa: PLC0415 - parses Python
        declared_arguments,
        installed_version,
    )

    base, folder, site_packages = argument_table(), dataflex_folder(), training_site_packages()
    if folder is None or site_packages is None:
        return base
    hparams = folder / "train" / "hparams"
    declared = declared_arguments(
        site_packages,
        {
            "finetuning": (hparams / "dynamic_params.py", "DynamicFinetuningArguments"),
            "data": (hparams / "dynamic_data_params.py", "DataArguments"),
        },
    )
    version = f"dataflex {installed_version(site_packages, 'dataflex')}, {base.version}"
    return ArgumentTable(version, {**declared, **base.arguments}, base.templates)


def shipped_settings(train_type: str, name: str) -> dict[str, Any]:
    """A component's own settings, by name; empty where the environment has no such one."""
    import yaml  # noqa: PLC0415 - only who trains with it needs it

    folder = dataflex_folder()
    if folder is None:
        return {}
    content = (folder / "configs" / "components.yaml").read_text(encoding="utf-8")
    found = (yaml.safe_load(content).get(BUCKETS[train_type]) or {}).get(name) or {}
    return {key: each for key, each in (found.get("params") or {}).items() if key != _PLACE}


def components_file(
    train_type: str, name: str, given: Mapping[str, Any], place: str
) -> dict[str, Any]:
    """The content of a components' file with one component, which writes into `place`."""
    params = {_PLACE: place, **shipped_settings(train_type, name), **given}
    return {BUCKETS[train_type]: {name: {"name": name, "params": params}}}
