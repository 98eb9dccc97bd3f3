"""The folder that v1 trains into: it leaves weights and a log, and no results of its own."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from sftrecipe_registry.llamafactory.training.log import NAME, curves, log_entries
from sftrecipe_registry.llamafactory.training.output import Output, is_newer

_OF_THE_MODEL = ("model", "template", "trust_remote_code", "flash_attn")


@dataclass(frozen=True)
class V1Output(Output):
    """The folder of one of v1's trainings; its settings have the `stage` beside."""

    overwrites: ClassVar[bool] = False
    last_written: ClassVar[str] = "CHECKPOINT_COMPLETE"

    @property
    def command(self) -> str:
        """The stage is the command."""
        return str(self.settings["stage"])

    @property
    def adapter(self) -> bool:
        """Whether it trains an adapter, not the model itself."""
        return (self.settings.get("peft_config") or {}).get("name") == "lora"

    def results(self) -> dict[str, float]:
        """The mean loss of the steps that its log tells."""
        losses, _ = curves(self.folder)
        return {"train_loss": sum(loss for _, loss in losses) / len(losses)} if losses else {}

    def merge_settings(self, folder: Path, target: Path) -> dict[str, Any]:
        """The arguments of `merge`: what loads the model, and where the whole one goes."""
        kept = {name: self.settings[name] for name in _OF_THE_MODEL if name in self.settings}
        merged = {
            "name": "lora",
            "adapter_name_or_path": str(self.folder.relative_to(folder)),
            "export_dir": str(target.relative_to(folder)),
        }
        return {**kept, "peft_config": merged}

    def _came_to_its_end(self, since: int) -> bool:
        """Whether its log, written since then, tells of the last step."""
        if not is_newer(self.folder / NAME, since):
            return False
        entries = log_entries(self.folder)
        every = int(self.settings.get("logging_steps") or 1)
        return bool(entries) and any(
            entry["current_steps"] + every > entry.get("total_steps", 0) for entry in entries
        )

    def _is_whole(self, checkpoint: Path, step: int) -> bool:
        """Whether all of it was written: the mark comes last."""
        return (checkpoint / self.last_written).is_file()
