"""What the reasons of a finished run's rejects mean, as the installed plugins explain them."""

from __future__ import annotations

from collections.abc import Iterator

from sftrecipe.errors import PluginError
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.reasons import Reason, reason_of
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.run.run_record import RunRecord, StepRecord


class RunReasons:
    """The reasons of a run, by step."""

    def __init__(self, run: RunRecord) -> None:
        self._plugins = {step.id: list(_plugins(step)) for step in run.steps}
        exports = (step.id for step in run.steps if step.facts.export)
        exporters = [plugin for name in exports for plugin in self._plugins[name]]
        for step in run.steps:
            if step.facts.mix:  # it rejects what they cannot write
                self._plugins[step.id] += exporters

    def of(self, step: str, reason: str) -> Reason:
        """What a reason means where the step rejected."""
        return reason_of(reason, *self._plugins.get(step, ()))


def _plugins(step: StepRecord) -> Iterator[type[Plugin]]:
    """The step's plugin, where it is still installed."""
    try:
        yield plugin_class(SECTIONS[step.section].kind, step.use)
    except (PluginError, KeyError):
        return
