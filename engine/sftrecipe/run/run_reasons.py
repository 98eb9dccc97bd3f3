"""What the reasons of a finished run's rejects mean, as the installed plugins explain them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

from sftrecipe.errors import PluginError
from sftrecipe.plugin.base import Plugin
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.reasons import Reason, reason_of
from sftrecipe.recipe.language.sections import SECTIONS
from sftrecipe.run.run_record import RunRecord, StepRecord


class RunReasons:
    """The reasons of a run, by step."""

    def __init__(self, run: RunRecord) -> None:
        self._steps = run.steps

    def of(self, step: str, reason: str) -> Reason:
        """What a reason means where the step rejected."""
        return reason_of(reason, *self._plugins.get(step, ()))

    @cached_property
    def _plugins(self) -> dict[str, list[type[Plugin]]]:
        """By step; imported where a row was lost."""
        plugins = {step.id: list(_plugins(step)) for step in self._steps}
        exports = (step.id for step in self._steps if step.facts.export)
        exporters = [plugin for name in exports for plugin in plugins[name]]
        for step in self._steps:
            if step.facts.mix:  # it rejects what they cannot write
                plugins[step.id] += exporters
        return plugins


def _plugins(step: StepRecord) -> Iterator[type[Plugin]]:
    """The step's plugin, where it is still installed."""
    try:
        yield plugin_class(SECTIONS[step.section].kind, step.use)
    except (PluginError, KeyError):
        return
