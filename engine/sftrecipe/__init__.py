"""Recipes and their runs for Python programs, and the names that most plugins use; the authors' API
is `sftrecipe.plugin`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sftrecipe.api.loaded_recipe import Recipe
    from sftrecipe.api.run_results import Run
    from sftrecipe.errors import Problem, RecipeError, SftrecipeError
    from sftrecipe.plugin import (  # noqa: F401 - those of `_RARE`
        KEEP,
        CallFailed,
        Context,
        Exporter,
        Filter,
        Generator,
        Judge,
        Mixer,
        PluginRefused,
        Provider,
        Record,
        Reject,
        Reply,
        RowFilter,
        RowGenerator,
        Rows,
        Source,
        Trainer,
        Verdict,
    )

_PLACES = {
    "Recipe": "sftrecipe.api.loaded_recipe",
    "Run": "sftrecipe.api.run_results",
    "Problem": "sftrecipe.errors",
    "RecipeError": "sftrecipe.errors",
    "SftrecipeError": "sftrecipe.errors",
}
_RARE = ("CallFailed", "Exporter", "Judge", "Mixer", "Reply")
"""Names of `sftrecipe.plugin` that are had from here too, as before."""

__all__ = [
    "KEEP", "Context", "Filter", "Generator", "PluginRefused", "Problem", "Provider", "Recipe",
    "RecipeError", "Record", "Reject", "RowFilter", "RowGenerator", "Rows", "Run", "SftrecipeError",
    "Source", "Trainer", "Verdict",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__ and name not in _RARE:
        raise AttributeError(f"module 'sftrecipe' has no attribute '{name}'")
    module = import_module(_PLACES.get(name, "sftrecipe.plugin"))
    globals()[name] = getattr(module, name)
    return globals()[name]
