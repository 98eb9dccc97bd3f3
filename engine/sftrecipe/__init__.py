"""sftrecipe's public API for plugin authors; option types are in `sftrecipe.options`."""

from sftrecipe.plugin.context import Context, Reject, Reply, Rows
from sftrecipe.plugin.judging import Judge
from sftrecipe.plugin.kinds import (
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
from sftrecipe.plugin.training import Trainer
from sftrecipe.record import Record

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
