"""Which of the exported data sets a training takes, and which it is judged on meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sftrecipe.plugin import DataSet, PluginRefused, Texts
from sftrecipe_registry.llamafactory.arguments.stages import teaches, wanted
from sftrecipe_registry.llamafactory.training.output import listed

texts = Texts(__package__)


def name_of_kind(stage: str, fit: Sequence[DataSet], exported: Sequence[DataSet]) -> str:
    """The first data set of the stage's kind: every exporter writes the same rows."""
    name = next((each.name for each in fit if each.role == "train"), None)
    if name is None:
        found = ", ".join(f"{each.name} ({teaches(each)})" for each in exported if each.entry)
        found = found or texts("none-exported")
        text = texts("no-data-set-fits", stage=stage, wanted=wanted(stage), found=found)
        raise PluginRefused(text)
    return name


def held_out_names(names: Sequence[str], fit: Sequence[DataSet]) -> list[str]:
    """The holdouts of these data sets; another exporter's may hold rows that they train on."""
    alone = sum(each.role == "train" for each in fit) == 1
    own = {f"{name}_holdout" for name in names}
    return [each.name for each in fit if each.role == "holdout" and (alone or each.name in own)]


def check_names(asked: object, exported: Sequence[DataSet]) -> None:
    """Raises PluginRefused for a name that the run's own catalogue lacks."""
    known = {each.name for each in exported if each.entry}
    for name in listed(asked):
        if name not in known:
            names = ", ".join(sorted(known))
            text = texts("not-exported", name=name, known=names)
            raise PluginRefused(text if known else texts("nothing-exported", name=name))


def check_val_size(given: Mapping[str, Any], fit: Sequence[DataSet]) -> None:
    """Raises PluginRefused where the holdout that it asks for takes all rows."""
    size = given.get("val_size") or 0
    rows = sum(each.rows for each in fit if each.role == "train")
    if "dataset" not in given and isinstance(size, int | float) and 1 < size >= rows:
        raise PluginRefused(texts("val-size-takes-all", size=size, rows=rows))
