"""sftrecipe's public API for plugin authors; option types are in `sftrecipe.options`."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sftrecipe.plugin.context import Context, Reject, Reply, Rows
    from sftrecipe.plugin.judge import Judge
    from sftrecipe.plugin.plugin_kinds import (
        KEEP,
        Exporter,
        Filter,
        Generator,
        Mixer,
        PluginRefused,
        RowFilter,
        RowGenerator,
        Source,
        Verdict,
    )
    from sftrecipe.plugin.provider import CallFailed, Provider
    from sftrecipe.plugin.trainer import Trainer
    from sftrecipe.record import Record

_PLACES = {
    "plugin.context": ("Context", "Reject", "Reply", "Rows"),
    "plugin.judge": ("Judge",),
    "plugin.plugin_kinds": (
        "KEEP", "Exporter", "Filter", "Generator", "Mixer", "PluginRefused", "RowFilter",
        "RowGenerator", "Source", "Verdict",
    ),
    "plugin.provider": ("CallFailed", "Provider"),
    "plugin.trainer": ("Trainer",),
    "record": ("Record",),
}  # fmt: skip
"""Imported when a name is used: a command that needs no plugin starts without them."""

__all__ = [
    "KEEP",
    "CallFailed",
    "Context",
    "Exporter",
    "Filter",
    "Generator",
    "Judge",
    "Mixer",
    "PluginRefused",
    "Provider",
    "Record",
    "Reject",
    "Reply",
    "RowFilter",
    "RowGenerator",
    "Rows",
    "Source",
    "Trainer",
    "Verdict",
]


def __getattr__(name: str) -> Any:
    for module, names in _PLACES.items():
        if name in names:
            globals()[name] = getattr(import_module(f"sftrecipe.{module}"), name)
            return globals()[name]
    raise AttributeError(f"module 'sftrecipe' has no attribute '{name}'")
