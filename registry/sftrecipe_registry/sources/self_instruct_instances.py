"""Self-Instruct's tasks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from sftrecipe_registry.shared.readers.known_set import KnownSet, others, text_of
from sftrecipe_registry.shared.readers.rows import WrongShape


class SelfInstructInstances(KnownSet):
    """Read Self-Instruct's tasks: an `instruction` with its `instances`, each of which is a row.

    The task's `id`, `name` and other columns go with every row. Rejects `no_instances`.
    """

    paper: ClassVar[str] = "Self-Instruct (arXiv 2212.10560)"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **KnownSet.decides,
        "no_instances": (),
    }
    example: ClassVar[str] = "{use: self_instruct_instances, path: seed_tasks.jsonl}"

    def shaped(self, row: dict[str, Any]) -> Iterator[dict[str, Any]]:
        """A row an instance."""
        instances = row.get("instances")
        if not isinstance(instances, list) or not instances:
            raise WrongShape("no_instances")
        instruction = text_of(row, "instruction")
        rest = others(row, "instances", "instruction", "input", "output")
        for number, instance in enumerate(instances, 1):
            if not isinstance(instance, dict):
                raise WrongShape("wrong_type", f"instance {number} is no object")
            asked = instance.get("input")
            yield {
                "instruction": instruction,
                "input": "" if asked is None else asked,
                "output": text_of(instance, "output"),
            } | rest
