"""What plugins of some kinds are given, and what they hand back, beside `sftrecipe`'s names."""

from sftrecipe.plugin.base import Capability, Inputs, MachineCheck, OptionFiles, OptionProblem
from sftrecipe.plugin.context import Model
from sftrecipe.plugin.endings import (
    AT_THE_LIMIT,
    BAD_TOOL_CALL,
    OPEN_THOUGHT,
    THOUGHT_ALONE,
    ending_of,
    is_cut_off,
)
from sftrecipe.plugin.judge import Judgement
from sftrecipe.plugin.limits_seen import LimitSeen, LimitsSeen, TellsLimits
from sftrecipe.plugin.permission import Permission, Places, Risk
from sftrecipe.plugin.plugin_kinds import (
    UNNAMED,
    DataSet,
    Expected,
    ExportContext,
    Mix,
    Pick,
)
from sftrecipe.plugin.prompts.prompt import Filled, PromptFailed, template_keys
from sftrecipe.plugin.provider import (
    CALL_REASONS,
    CONTEXT_TOO_LONG,
    REQUEST_TOO_LARGE,
    UNREADABLE_REPLY,
    Adapter,
    Answer,
    Blame,
    Connecting,
    Outcome,
    Request,
    TimedOut,
    TokenCounter,
    Unreached,
)
from sftrecipe.plugin.reply_message import (
    MessageParts,
    message_parts,
    tool_call,
    with_thought_beside,
)
from sftrecipe.plugin.row_kinds import FIRST_ROWS, RowCheck, RowKind, Unfit
from sftrecipe.plugin.trainer import Finding, Trained, Training, TrainingState

__all__ = [
    "AT_THE_LIMIT",
    "BAD_TOOL_CALL",
    "CALL_REASONS",
    "CONTEXT_TOO_LONG",
    "FIRST_ROWS",
    "OPEN_THOUGHT",
    "REQUEST_TOO_LARGE",
    "THOUGHT_ALONE",
    "UNNAMED",
    "UNREADABLE_REPLY",
    "Adapter",
    "Answer",
    "Blame",
    "Capability",
    "Connecting",
    "DataSet",
    "Expected",
    "ExportContext",
    "Filled",
    "Finding",
    "Inputs",
    "Judgement",
    "LimitSeen",
    "LimitsSeen",
    "MachineCheck",
    "MessageParts",
    "Mix",
    "Model",
    "OptionFiles",
    "OptionProblem",
    "Outcome",
    "Permission",
    "Pick",
    "Places",
    "PromptFailed",
    "Request",
    "Risk",
    "RowCheck",
    "RowKind",
    "TellsLimits",
    "TimedOut",
    "TokenCounter",
    "Trained",
    "Training",
    "TrainingState",
    "Unfit",
    "Unreached",
    "ending_of",
    "is_cut_off",
    "message_parts",
    "template_keys",
    "tool_call",
    "with_thought_beside",
]
