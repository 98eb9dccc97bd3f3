"""The authors' API on one page: all that a plugin imports of sftrecipe is a name of this module."""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    # isort: off
    # fmt: off
    from sftrecipe.errors import (
        NotFetched, PluginError, SftrecipeError, causes, closest, yaml_word,
    )
    from sftrecipe.messages import Text, Texts, error_text, message
    from sftrecipe.plugin.base import (
        Capability, Inputs, MachineCheck, OptionFiles, OptionProblem, Plugin,
    )
    from sftrecipe.plugin.context import Context, Reject, Rows
    from sftrecipe.plugin.drawing import draw_rows
    from sftrecipe.plugin.endings import (
        AT_THE_LIMIT, BAD_TOOL_CALL, OPEN_THOUGHT, THOUGHT_ALONE, ending_of, is_cut_off,
    )
    from sftrecipe.plugin.environments import (
        ENVIRONMENT_MADE, ENVIRONMENT_UNFINISHED, environment_of, install_command, install_into,
        unfinished_environment, user_data,
    )
    from sftrecipe.plugin.kept_models import (
        KEPT, MIXED, KeptModel, ModelNote, is_model_link, kept_model_of, read_model_note,
    )
    from sftrecipe.plugin.asked_model import Model, Reply
    from sftrecipe.plugin.judge import Judge, Judgement
    from sftrecipe.plugin.model_copy import ModelCopy, ModelUpload, Publication
    from sftrecipe.plugin.option_types import (
        ANY_COLUMN, ROW_ID_COLUMNS, STEERING, ColumnName, Described, Effort, InputFile, InputPath,
        LaterMarker, ModelName, Pattern, PromptMarker, ProviderMarker, ProviderName, SaidColumn,
        Sampling, StreamName, Thinking, ThoughtBudget, trained_block,
    )
    from sftrecipe.plugin.permission import Permission, Places, Risk
    from sftrecipe.plugin.plugin_kinds import (
        KEEP, UNNAMED, DataSet, Expected, ExportContext, Exporter, Filter, Generator, Mix, Mixer,
        Pick, PluginRefused, RowFilter, RowGenerator, Source, Verdict,
    )
    from sftrecipe.plugin.prompts.prompt import Filled, Prompt, PromptFailed, template_keys
    from sftrecipe.plugin.prompts.sandbox import make_sandbox, render_template
    from sftrecipe.plugin.provider import (
        CALL_FAILED, CALL_REASONS, CONTEXT_TOO_LONG, KEPT_REASONS, MOST_TOKENS, REQUEST_TOO_LARGE,
        UNREADABLE_REPLY, Adapter, Answer, Blame, CallFailed, Connecting, LimitSeen, Limits,
        LimitsSeen, Outcome, Price, Provider, Request, TellsLimits, TimedOut, TokenCounter,
        Unreached,
    )
    from sftrecipe.plugin.regular_files import open_regular, unusual_kind
    from sftrecipe.plugin.reply_message import (
        MessageParts, message_parts, tool_call, with_thought_beside,
    )
    from sftrecipe.plugin.row_kinds import FIRST_ROWS, RowCheck, RowKind, Unfit
    from sftrecipe.plugin.token_estimate import tokens_of
    from sftrecipe.plugin.trainer import (
        Finding, Trained, Trainer, Training, TrainingForecast, TrainingPhase, TrainingState,
    )
    from sftrecipe.plugin.vendors.vendor_facts import Vendor, known_vendors, vendor_at, vendor_named
    from sftrecipe.plugin.vendors.vendor_quirks import Quirks, quirks_of
    from sftrecipe.record import (
        OF_TURNS, PAIR, PLAIN_COLUMNS, ROLES, Columns, Record, ToolCall, Turn, chat, question,
    )
    from sftrecipe.thoughts import ThoughtAndAnswer, join_thought, split_thought
    from sftrecipe.turns.conversation import Said, looks_like_turns, read_turns, spoken_role
    from sftrecipe.turns.faults import UnreadTurn, is_empty
    from sftrecipe.turns.media_columns import with_media
    from sftrecipe.turns.roles import CALLS_ROLE
    # isort: on
    # fmt: on

PAGE: Mapping[str, Mapping[str, str]] = {
    "The kinds of plugins": {
        "sftrecipe.plugin.plugin_kinds": (
            "Source Generator RowGenerator Filter RowFilter Mixer Exporter PluginRefused"
        ),
        "sftrecipe.plugin.judge": "Judge",
        "sftrecipe.plugin.trainer": "Trainer",
        "sftrecipe.plugin.provider": "Provider",
        "sftrecipe.plugin.base": "Plugin",
        "sftrecipe.plugin.option_types": "Described",
    },
    "What a plugin says of itself": {
        "sftrecipe.plugin.base": "Capability Inputs OptionFiles OptionProblem MachineCheck",
        "sftrecipe.plugin.permission": "Permission Places Risk",
        "sftrecipe.plugin.plugin_kinds": "Expected",
    },
    "Options": {
        "sftrecipe.plugin.option_types": (
            "InputFile InputPath ProviderName StreamName ColumnName SaidColumn ModelName Pattern "
            "PromptMarker ProviderMarker LaterMarker ANY_COLUMN ROW_ID_COLUMNS trained_block "
            "Sampling STEERING Effort Thinking ThoughtBudget"
        ),
    },
    "What a step is given": {
        "sftrecipe.plugin.context": "Context Rows",
    },
    "Rows": {
        "sftrecipe.record": (
            "Record Columns Turn ToolCall ROLES PLAIN_COLUMNS OF_TURNS PAIR chat question"
        ),
        "sftrecipe.plugin.context": "Reject",
        "sftrecipe.plugin.plugin_kinds": "Verdict KEEP Pick Mix",
    },
    "Data sets and trainings": {
        "sftrecipe.plugin.plugin_kinds": "ExportContext DataSet",
        "sftrecipe.plugin.row_kinds": "RowKind RowCheck Unfit FIRST_ROWS",
        "sftrecipe.plugin.trainer": (
            "Training TrainingState TrainingPhase TrainingForecast Trained Finding"
        ),
        "sftrecipe.plugin.kept_models": (
            "KEPT MIXED KeptModel ModelNote is_model_link kept_model_of read_model_note"
        ),
        "sftrecipe.plugin.model_copy": "ModelCopy ModelUpload Publication",
    },
    "Judgements": {
        "sftrecipe.plugin.judge": "Judgement",
    },
    "Models and their replies": {
        "sftrecipe.plugin.asked_model": "Model Reply",
        "sftrecipe.plugin.provider": (
            "CallFailed Outcome Blame CALL_FAILED CALL_REASONS KEPT_REASONS CONTEXT_TOO_LONG "
            "REQUEST_TOO_LARGE UNREADABLE_REPLY"
        ),
        "sftrecipe.plugin.endings": (
            "is_cut_off ending_of AT_THE_LIMIT BAD_TOOL_CALL OPEN_THOUGHT THOUGHT_ALONE"
        ),
    },
    "Answering as a provider": {
        "sftrecipe.plugin.provider": (
            "Adapter Connecting Request Answer TimedOut Unreached TokenCounter Limits Price "
            "MOST_TOKENS LimitSeen LimitsSeen TellsLimits"
        ),
        "sftrecipe.plugin.token_estimate": "tokens_of",
        "sftrecipe.plugin.reply_message": (
            "MessageParts message_parts tool_call with_thought_beside"
        ),
    },
    "Vendors": {
        "sftrecipe.plugin.vendors.vendor_facts": "Vendor known_vendors vendor_named vendor_at",
        "sftrecipe.plugin.vendors.vendor_quirks": "Quirks quirks_of",
    },
    "Prompts": {
        "sftrecipe.plugin.prompts.prompt": "Prompt Filled PromptFailed template_keys",
        "sftrecipe.plugin.prompts.sandbox": "make_sandbox render_template",
    },
    "Reading rows": {
        "sftrecipe.plugin.regular_files": "open_regular unusual_kind",
        "sftrecipe.plugin.plugin_kinds": "UNNAMED",
        "sftrecipe.plugin.drawing": "draw_rows",
        "sftrecipe.turns.conversation": "read_turns Said spoken_role looks_like_turns",
        "sftrecipe.turns.media_columns": "with_media",
        "sftrecipe.turns.faults": "UnreadTurn is_empty",
        "sftrecipe.turns.roles": "CALLS_ROLE",
        "sftrecipe.thoughts": "ThoughtAndAnswer split_thought join_thought",
    },
    "Problems and their texts": {
        "sftrecipe.errors": "SftrecipeError PluginError NotFetched closest causes yaml_word",
        "sftrecipe.messages": "Texts Text error_text message",
    },
    "This machine": {
        "sftrecipe.plugin.environments": (
            "install_command install_into user_data environment_of unfinished_environment "
            "ENVIRONMENT_MADE ENVIRONMENT_UNFINISHED"
        ),
    },
}
"""Heading of the page → module → its names. A module is imported when a name of it is used."""

__all__ = [
    "ANY_COLUMN",
    "AT_THE_LIMIT",
    "BAD_TOOL_CALL",
    "CALLS_ROLE",
    "CALL_FAILED",
    "CALL_REASONS",
    "CONTEXT_TOO_LONG",
    "ENVIRONMENT_MADE",
    "ENVIRONMENT_UNFINISHED",
    "FIRST_ROWS",
    "KEEP",
    "KEPT",
    "KEPT_REASONS",
    "MIXED",
    "MOST_TOKENS",
    "OF_TURNS",
    "OPEN_THOUGHT",
    "PAIR",
    "PLAIN_COLUMNS",
    "REQUEST_TOO_LARGE",
    "ROLES",
    "ROW_ID_COLUMNS",
    "STEERING",
    "THOUGHT_ALONE",
    "UNNAMED",
    "UNREADABLE_REPLY",
    "Adapter",
    "Answer",
    "Blame",
    "CallFailed",
    "Capability",
    "ColumnName",
    "Columns",
    "Connecting",
    "Context",
    "DataSet",
    "Described",
    "Effort",
    "Expected",
    "ExportContext",
    "Exporter",
    "Filled",
    "Filter",
    "Finding",
    "Generator",
    "InputFile",
    "InputPath",
    "Inputs",
    "Judge",
    "Judgement",
    "KeptModel",
    "LaterMarker",
    "LimitSeen",
    "Limits",
    "LimitsSeen",
    "MachineCheck",
    "MessageParts",
    "Mix",
    "Mixer",
    "Model",
    "ModelCopy",
    "ModelName",
    "ModelNote",
    "ModelUpload",
    "NotFetched",
    "OptionFiles",
    "OptionProblem",
    "Outcome",
    "Pattern",
    "Permission",
    "Pick",
    "Places",
    "Plugin",
    "PluginError",
    "PluginRefused",
    "Price",
    "Prompt",
    "PromptFailed",
    "PromptMarker",
    "Provider",
    "ProviderMarker",
    "ProviderName",
    "Publication",
    "Quirks",
    "Record",
    "Reject",
    "Reply",
    "Request",
    "Risk",
    "RowCheck",
    "RowFilter",
    "RowGenerator",
    "RowKind",
    "Rows",
    "Said",
    "SaidColumn",
    "Sampling",
    "SftrecipeError",
    "Source",
    "StreamName",
    "TellsLimits",
    "Text",
    "Texts",
    "Thinking",
    "ThoughtAndAnswer",
    "ThoughtBudget",
    "TimedOut",
    "TokenCounter",
    "ToolCall",
    "Trained",
    "Trainer",
    "Training",
    "TrainingForecast",
    "TrainingPhase",
    "TrainingState",
    "Turn",
    "Unfit",
    "Unreached",
    "UnreadTurn",
    "Vendor",
    "Verdict",
    "causes",
    "chat",
    "closest",
    "draw_rows",
    "ending_of",
    "environment_of",
    "error_text",
    "install_command",
    "install_into",
    "is_cut_off",
    "is_empty",
    "is_model_link",
    "join_thought",
    "kept_model_of",
    "known_vendors",
    "looks_like_turns",
    "make_sandbox",
    "message",
    "message_parts",
    "open_regular",
    "question",
    "quirks_of",
    "read_model_note",
    "read_turns",
    "render_template",
    "split_thought",
    "spoken_role",
    "template_keys",
    "tokens_of",
    "tool_call",
    "trained_block",
    "unfinished_environment",
    "unusual_kind",
    "user_data",
    "vendor_at",
    "vendor_named",
    "with_media",
    "with_thought_beside",
    "yaml_word",
]  # fmt: skip

_MODULES = {
    name: module
    for modules in PAGE.values()
    for module, names in modules.items()
    for name in names.split()
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module 'sftrecipe.plugin' has no attribute '{name}'")
    globals()[name] = getattr(import_module(_MODULES[name]), name)
    return globals()[name]
