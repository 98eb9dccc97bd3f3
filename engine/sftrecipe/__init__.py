"""The names of sftrecipe that most plugins use; `sftrecipe.plugin` has them all."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sftrecipe.plugin import (
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

__all__ = [
    "KEEP", "CallFailed", "Context", "Exporter", "Filter", "Generator", "Judge", "Mixer",
    "PluginRefused", "Provider", "Record", "Reject", "Reply", "RowFilter", "RowGenerator", "Rows",
    "Source", "Trainer", "Verdict",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module 'sftrecipe' has no attribute '{name}'")
    globals()[name] = getattr(import_module("sftrecipe.plugin"), name)
    return globals()[name]
