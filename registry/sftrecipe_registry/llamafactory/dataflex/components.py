"""DataFlex as its environment has it: its further arguments, and the components that it ships."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

from sftrecipe_registry.llamafactory.arguments.argument import Argument, ArgumentTable
from sftrecipe_registry.llamafactory.arguments.current_table import argument_table
from sftrecipe_registry.llamafactory.arguments.table import SNAPSHOT, read_snapshot, snapshot
from sftrecipe_registry.llamafactory.training.environment import training_site_packages
from sftrecipe_registry.shared.processes.python_environment import installed_version

BUCKETS = {"dynamic_select": "selectors", "dynamic_weight": "weighters"}
"""What a component is for, as its file calls it, by `train_type`. `dynamic_mix` weighs data sets
against one another, and a recipe exports one."""


class Setting(NamedTuple):
    """What a component's setting takes; DataFlex looks at most of them in the training alone."""

    default: float | int | bool | str
    choices: tuple[str, ...] = ()
    above: float | None = None
    """A number above this one."""
    most: float = math.inf

    @property
    def takes(self) -> str:
        """Its choices, its bounds, or its type, as a recipe writes them."""
        if self.choices:
            return " | ".join(self.choices)
        if self.above is None:
            return "true | false"
        if isinstance(self.default, int):
            return f"int >= {self.above + 1:g}"
        return f"> {self.above:g}" + (f", <= {self.most:g}" if self.most < math.inf else "")

    def fits(self, value: object) -> bool:
        """Whether a component computes with the value."""
        if isinstance(self.default, bool) or isinstance(value, bool):
            return isinstance(self.default, bool) and isinstance(value, bool)
        if self.above is None:
            return value in self.choices
        types = int if isinstance(self.default, int) else int | float
        return isinstance(value, types) and self.above < value <= self.most


_BATCH = Setting(8, above=0)
KNOWN: Mapping[str, Mapping[str, Mapping[str, Setting]]] = {
    "dynamic_select": {
        "loss": {
            "focus": Setting("medium", ("low", "medium", "high")),
            "score_batch_size": _BATCH,
        },
        "delta_loss": {"window_size": Setting(0.2, above=0, most=1), "score_batch_size": _BATCH},
        "random": {"seed": Setting(42, above=-1), "replacement": Setting(False)},
    },
    "dynamic_weight": {
        "loss": {
            "strategy": Setting("linupper", ("linupper", "uniform", "quadratic", "extremes")),
            "delta": Setting(1.0, above=0),
        }
    },
}
"""Those that compute with rows and losses alone, with their settings (DataFlex 1.1.0,
`configs/components.yaml` and the classes): others ask servers, or read files of their own."""
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
    """LLaMA-Factory's arguments and DataFlex's: the environment's own, read from source with none
    of it imported, else the shipped snapshot's."""
    base, folder, site_packages = argument_table(), dataflex_folder(), training_site_packages()
    if folder is None or site_packages is None:
        own = read_snapshot(Path(__file__).with_name(SNAPSHOT))
        version, arguments = own.version, own.arguments
    else:
        version = f"dataflex {installed_version(site_packages, 'dataflex') or 'unknown'}"
        arguments = _declared(site_packages, folder)
    return ArgumentTable(
        f"{version}, {base.version}", {**arguments, **base.arguments}, base.templates
    )


def _declared(site_packages: Path, folder: Path) -> dict[str, Argument]:
    from sftrecipe_registry.llamafactory.arguments.sources import (  # noqa: PLC0415 - parses Python
        declared_arguments,
    )

    hparams = folder / "train" / "hparams"
    files = {
        "finetuning": (hparams / "dynamic_params.py", "DynamicFinetuningArguments"),
        "data": (hparams / "dynamic_data_params.py", "DataArguments"),
    }
    return declared_arguments(site_packages, files)


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


if __name__ == "__main__":  # its folder's snapshot.json, of the environment that is set
    everything = dataflex_table()
    own = {
        name: each
        for name, each in everything.arguments.items()
        if name not in argument_table().arguments
    }
    version = everything.version.split(",")[0]
    sys.stdout.write(snapshot(ArgumentTable(version, own, frozenset())))
