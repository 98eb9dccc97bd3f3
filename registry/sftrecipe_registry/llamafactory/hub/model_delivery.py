"""What LLaMA-Factory's trainer does with a model after its training."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from sftrecipe.plugin import (
    ModelCopy,
    ModelUpload,
    OptionProblem,
    PluginRefused,
    Publication,
    Texts,
    Trainer,
)
from sftrecipe_registry.shared.models.model_folder import is_path
from sftrecipe_registry.shared.models.packaged_checkpoint import PACKAGED_NAME
from sftrecipe_registry.shared.models.packaged_models import PACKAGED

texts = Texts(__package__)
_OF_EXPORT = {
    "export_quantization_bit": "sftrecipe model gguf RECIPE --numbers q8_0",
    "export_hub_model_id": "sftrecipe model push RECIPE --to huggingface:OWNER/NAME",
}
"""What does instead, once the model is trained."""


class ModelDelivery(Trainer):
    """Mix into a trainer whose models are checkpoints of Hugging Face's form."""

    def delivery_problems(self, arguments: Mapping[str, Any]) -> Iterator[OptionProblem]:
        """Arguments of LLaMA-Factory's export that a training takes and does nothing with."""
        for name, command in _OF_EXPORT.items():
            if arguments.get(name):
                yield OptionProblem(
                    (name,), texts("of-export", name=name), texts("afterwards", command=command)
                )

    def base_name(self) -> str | None:
        """The embedded model's own name; a name of the hub; None for a folder."""
        base = str((self.answers("base") or {}).get("model", ""))
        if base == PACKAGED:
            return PACKAGED_NAME
        named = base.count("/") == 1 and not is_path(base) and not Path(base).exists()
        return base if named else None

    def write_gguf(self, copy: ModelCopy) -> None:
        """Written with gguf and numpy. Raises PluginRefused."""
        from sftrecipe_registry.shared.models.gguf_model import (  # noqa: PLC0415 - used once
            GGUF_NUMBERS,
            write_gguf,
        )

        if copy.numbers not in GGUF_NUMBERS:
            known = ", ".join(GGUF_NUMBERS)
            raise PluginRefused(texts("numbers-unknown", numbers=copy.numbers, known=known))
        write_gguf(copy.model, copy.target, copy.numbers, copy.name)

    async def merge(self, copy: ModelCopy) -> None:
        """By LLaMA-Factory's export. Raises PluginRefused."""
        from sftrecipe_registry.llamafactory.hub.merged_copy import (  # noqa: PLC0415 - used once
            write_merged,
        )

        await write_merged(copy)

    def publication(self, copy: ModelCopy, what: Publication) -> Mapping[str, Path | bytes]:
        """Raises PluginRefused where there is no adapter."""
        from sftrecipe_registry.llamafactory.hub.publication import (  # noqa: PLC0415 - used once
            published,
        )

        return published(copy.model, what, self.base_name())

    async def upload(self, upload: ModelUpload) -> str:
        """By the hub's own client. Raises PluginRefused with its words."""
        from sftrecipe_registry.llamafactory.hub.upload import upload as send  # noqa: PLC0415

        return await send(upload)
