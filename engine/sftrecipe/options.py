"""Option types for plugin authors: files, prompts, references, and how a model is sampled."""

from sftrecipe.plugin.option_types import (
    ANY_COLUMN,
    ColumnName,
    InputFile,
    InputPath,
    LaterMarker,
    ModelName,
    Pattern,
    PromptMarker,
    ProviderMarker,
    ProviderName,
    SaidColumn,
    StreamName,
)
from sftrecipe.plugin.sampling import Sampling

__all__ = [
    "ANY_COLUMN",
    "ColumnName",
    "InputFile",
    "InputPath",
    "LaterMarker",
    "ModelName",
    "Pattern",
    "PromptMarker",
    "ProviderMarker",
    "ProviderName",
    "SaidColumn",
    "Sampling",
    "StreamName",
]
