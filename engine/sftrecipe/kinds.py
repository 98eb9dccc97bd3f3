"""What plugins of some kinds are given, and what they hand back, beside `sftrecipe`'s names."""

from sftrecipe.plugin.base import Capability, Inputs, MachineCheck, OptionFiles, OptionProblem
from sftrecipe.plugin.context import Model
from sftrecipe.plugin.kinds import (
    DataSet,
    Expected,
    ExportContext,
    Judgement,
    Mix,
    Pick,
    Trained,
    Training,
)
from sftrecipe.plugin.limits_seen import LimitSeen, LimitsSeen, TellsLimits
from sftrecipe.plugin.provider import (
    Adapter,
    Answer,
    Connecting,
    Request,
    TimedOut,
    TokenCounter,
    Unreached,
)

__all__ = [
    "Adapter",
    "Answer",
    "Capability",
    "Connecting",
    "DataSet",
    "Expected",
    "ExportContext",
    "Inputs",
    "Judgement",
    "LimitSeen",
    "LimitsSeen",
    "MachineCheck",
    "Mix",
    "Model",
    "OptionFiles",
    "OptionProblem",
    "Pick",
    "Request",
    "TellsLimits",
    "TimedOut",
    "TokenCounter",
    "Trained",
    "Training",
    "Unreached",
]
