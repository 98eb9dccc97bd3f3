"""A row as LLaMA-Factory converts it, or why it vanishes or stops the training.

Follows llamafactory/data/converter.py and data/processor of 0.9.5.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from sftrecipe_registry.llamafactory.formats.conversation import check_tools
from sftrecipe_registry.llamafactory.formats.turns import Unusable, check_call
from sftrecipe_registry.llamafactory.preflight.catalogue import Attributes
from sftrecipe_registry.llamafactory.preflight.tally import Trouble

REPAIR = "repair"

Row = Mapping[str, Any]
_CALL_MARK = "<tool_call>"


class Amiss(Exception):
    """A row that LLaMA-Factory drops or fails on."""

    def __init__(self, trouble: Trouble, value: object = None) -> None:
        super().__init__(trouble.what)
        self.trouble = trouble
        self.value = value


class Talk(NamedTuple):
    """What LLaMA-Factory makes of a row: one of its prompts, and the answers to it."""

    prompt: list[dict[str, str]]
    response: list[dict[str, str]]
    system: str
    tools: str
    doubts: list[tuple[Trouble, object]]


Converter = Callable[[Row], Talk]


def vanishes(check: str, what: str, advice: str = REPAIR) -> Trouble:
    """Rows that are left out with at most a line in a log."""
    return Trouble("fault", check, what, "rows-vanish", advice)


def stops(check: str, what: str, advice: str = REPAIR) -> Trouble:
    """Rows that LLaMA-Factory fails on."""
    return Trouble("fault", check, what, "rows-stop-training", advice)


ORDER = vanishes("roles", "no-turns-taken")
COUNT = vanishes("roles", "no-answer-last")
PAIR_COUNT = vanishes("roles", "answer-before-pair")
LATE_SYSTEM = vanishes("roles", "late-system")
UNKNOWN_ROLE = vanishes("roles", "role-unknown", "name-role")
NO_MESSAGES = vanishes("roles", "no-message-in-row")
NO_OUTPUT = vanishes("output", "answer-null")
NOT_TEXT_OUTPUT = vanishes("output", "answer-no-text")
OLD_PAIR = vanishes(
    "old_format",
    "answer-list",
    "write-pair",
)
NO_PAIR = vanishes("pairs", "no-pair")
NO_LABEL = vanishes("kto", "no-label")
EMPTY_JUDGED = Trouble("fault", "kto", "empty-judged", "rows-misread", REPAIR)
EMPTY_OUTPUT = Trouble("warning", "output", "answer-empty", "rows-doubtful", REPAIR)
EMPTY_PROMPT = Trouble("warning", "prompt", "nothing-asked", "rows-doubtful", REPAIR)
NOT_TEXT = stops("prompt", "asked-no-text")
NULL_CONTENT = stops("messages", "content-no-text")
NO_LIST = stops("messages", "messages-no-list")
NO_OBJECT = stops("messages", "message-no-object")
BAD_PAIR = stops("history", "history-no-pair")
NULL_PAIR = stops("history", "history-no-texts")
KEYS_LEARNED = Trouble(
    "fault",
    "history",
    "keys-learned",
    "rows-misread",
    "write-items-as-pairs",
)
IGNORED_HISTORY = Trouble(
    "fault",
    "history",
    "history-no-list",
    "rows-misread",
    "write-list-of-pairs",
)
BAD_TOOLS = stops("tools", "tools-no-list")
ODD_TOOLS = Trouble(
    "warning",
    "tools",
    "tool-incomplete",
    "rows-doubtful",
    "name-both",
)
BAD_CALL = stops("tools", "call-no-json")
BAD_SYSTEM = stops("system", "system-no-text")
BAD_ANSWER_ROLE = stops("pairs", "pair-role-unknown")
ASKING_ANSWER = Trouble("fault", "pairs", "pair-role-asks", "rows-misread", REPAIR)


def converter(attributes: Attributes, stage: str) -> Converter:
    """What converts the rows of a data set for a stage; it raises Amiss."""
    if attributes.formatting == "alpaca":
        return _Alpaca(attributes, stage).talk
    return _Messages(attributes, stage).talk


class _Rows:
    """What both formats have in common."""

    def __init__(self, attributes: Attributes, stage: str) -> None:
        self.columns = attributes.columns
        self.tags = attributes.tags
        self.ranking = attributes.ranking
        self.formatting = attributes.formatting
        self.stage = stage
        self.doubts: list[tuple[Trouble, object]] = []

    def value(self, row: Row, column: str) -> Any:
        name = self.columns[column]
        return row.get(name) if name else None

    def finished(
        self,
        row: Row,
        prompt: list[dict[str, str]],
        response: list[dict[str, str]],
        system: object,
    ) -> Talk:
        """The rest, which is the same in all formats."""
        if system is not None and not isinstance(system, str):
            raise Amiss(BAD_SYSTEM, system)
        tools = self.value(row, "tools")
        if tools:
            if self.formatting == "openai" and not isinstance(tools, str):
                tools = json.dumps(tools, ensure_ascii=False)
            self._check_tools(tools)
        doubts, self.doubts = self.doubts, []
        return Talk(prompt, response, system or "", tools or "", doubts)

    def _check_tools(self, tools: Any) -> None:
        if not isinstance(tools, str):
            raise Amiss(BAD_TOOLS, tools)
        try:
            json.loads(tools)
            check_tools(tools)
        except Unusable:
            self.doubts.append((ODD_TOOLS, tools))
        except (ValueError, RecursionError) as error:
            raise Amiss(BAD_TOOLS, tools) from error

    def doubt_empty(self, response: list[dict[str, str]]) -> None:
        """Answers without text, on which a training learns to say nothing."""
        if self.stage in ("pt", "ppo"):
            return
        if self.stage == "kto" and not any(answer["content"] for answer in response):
            self.doubts.append((EMPTY_JUDGED, None))
        elif self.stage != "kto" and not all(answer["content"] for answer in response):
            self.doubts.append((EMPTY_OUTPUT, None))


class _Alpaca(_Rows):
    def talk(self, row: Row) -> Talk:
        prompt = self._history(row)
        prompt.append({"role": "user", "content": self._question(row)})
        response: list[dict[str, str]] = []
        if self.stage not in ("pt", "ppo"):
            response = [{"role": "assistant", "content": text} for text in self._answers(row)]
            self.doubt_empty(response)
        return self.finished(row, prompt, response, self.value(row, "system"))

    def _history(self, row: Row) -> list[dict[str, str]]:
        pairs = self.value(row, "history")
        if pairs is None:
            return []
        if not isinstance(pairs, list):
            self.doubts.append((IGNORED_HISTORY, pairs))
            return []
        turns: list[dict[str, str]] = []
        for pair in pairs:
            if not isinstance(pair, list | dict) or len(pair) != 2:
                raise Amiss(BAD_PAIR, pair)
            if isinstance(pair, dict):
                self.doubts.append((KEYS_LEARNED, pair))
            asked, answered = pair
            if not isinstance(asked, str) or not isinstance(answered, str):
                raise Amiss(NULL_PAIR, pair)
            turns.append({"role": "user", "content": asked})
            turns.append({"role": "assistant", "content": answered})
        return turns

    def _question(self, row: Row) -> str:
        parts = []
        for column in ("prompt", "query"):
            value = self.value(row, column)
            if not value:
                continue
            if not isinstance(value, str):
                raise Amiss(NOT_TEXT, value)
            parts.append(value)
        if not parts:
            self.doubts.append((EMPTY_PROMPT, None))
        return "\n".join(parts)

    def _answers(self, row: Row) -> list[str]:
        output = self.value(row, "response")
        if self.stage == "kto":
            if not isinstance(self.value(row, "kto_tag"), bool):
                raise Amiss(NO_LABEL, self.value(row, "kto_tag"))
        elif self.ranking:
            return self._pair(row, output)
        if isinstance(output, str):
            return [output]
        if isinstance(output, list):
            raise Amiss(OLD_PAIR, output)
        raise Amiss(NO_OUTPUT if output is None else NOT_TEXT_OUTPUT, output)

    def _pair(self, row: Row, output: object) -> list[str]:
        pair = [self.value(row, "chosen"), self.value(row, "rejected")]
        if all(isinstance(each, str) for each in pair):
            return pair
        if isinstance(output, list) and len(output) == 2:
            raise Amiss(OLD_PAIR, output)
        raise Amiss(NO_PAIR, pair)


class _Messages(_Rows):
    """Formats sharegpt and openai."""

    def __init__(self, attributes: Attributes, stage: str) -> None:
        super().__init__(attributes, stage)
        tags = self.tags
        self.role, self.content = tags["role_tag"] or "", tags["content_tag"] or ""
        self.asks = (tags["user_tag"], tags["observation_tag"])
        self.answers = (tags["assistant_tag"], tags["function_tag"])
        self.standard = {
            tags["user_tag"]: "user",
            tags["assistant_tag"]: "assistant",
            tags["observation_tag"]: "observation",
            tags["function_tag"]: "function",
            tags["system_tag"]: "system",
        }

    def talk(self, row: Row) -> Talk:
        messages = self.value(row, "messages")
        if not isinstance(messages, list):
            raise Amiss(NO_LIST, messages)
        if {*map(type, messages)} - {dict}:
            raise Amiss(NO_OBJECT, messages)
        system: object = self.value(row, "system")
        if messages and self.tags["system_tag"] and self._role(messages[0]) == "system":
            system, messages = messages[0].get(self.content), messages[1:]
        if self.formatting == "openai":
            messages = self._merged(messages)
        turns = self._turns(messages)
        prompt, response = self._parted(row, turns)
        if self.stage == "kto" and not isinstance(self.value(row, "kto_tag"), bool):
            raise Amiss(NO_LABEL, self.value(row, "kto_tag"))
        self.doubt_empty(response)
        return self.finished(row, prompt, response, system)

    def _role(self, message: Row) -> str | None:
        role = message.get(self.role)
        return self.standard.get(role) if isinstance(role, str) else None

    def _turns(self, messages: list[Any]) -> list[dict[str, str]]:
        turns = []
        role_key, content_key, standards = self.role, self.content, self.standard
        accepted = (self.asks, self.answers)
        for number, message in enumerate(messages):
            role = message.get(role_key)
            if role not in accepted[number % 2]:
                self._refuse(role, number)
            content = message.get(content_key)
            if not isinstance(content, str):
                raise Amiss(NULL_CONTENT, message)
            standard = standards[role]
            if standard == "function":
                self._check_call(content)
            turns.append({"role": standard, "content": content})
        return turns

    def _refuse(self, role: object, number: int) -> None:
        value = f"message {number + 1} is of '{role}'"
        standard = self.standard.get(role) if isinstance(role, str) else None
        if standard is None:
            raise Amiss(UNKNOWN_ROLE, value)
        raise Amiss(LATE_SYSTEM if standard == "system" else ORDER, value)

    def _check_call(self, content: str) -> None:
        if _CALL_MARK in content:
            return  # in the words of a model, which its template reads
        try:
            check_call(content)
        except Unusable as error:
            raise Amiss(BAD_CALL, content) from error

    def _parted(
        self, row: Row, turns: list[dict[str, str]]
    ) -> tuple[list[dict[str, str]], list[dict[str, str]]]:
        if not turns:
            raise Amiss(NO_MESSAGES)
        if self.ranking:
            if len(turns) % 2 == 0:
                raise Amiss(PAIR_COUNT, f"{len(turns)} messages")
            return turns, [self._preferred(row, "chosen"), self._preferred(row, "rejected")]
        if len(turns) % 2:
            raise Amiss(COUNT, f"{len(turns)} messages")
        return turns[:-1], turns[-1:]

    def _preferred(self, row: Row, column: str) -> dict[str, str]:
        value = self.value(row, column)
        if not isinstance(value, dict):
            raise Amiss(NO_PAIR, value)
        role, content = self._role(value), value.get(self.content)
        if role is None:
            raise Amiss(BAD_ANSWER_ROLE, value)
        if not isinstance(content, str):
            raise Amiss(NULL_CONTENT, value)
        if role not in ("assistant", "function"):
            self.doubts.append((ASKING_ANSWER, value))
        elif role == "function":
            self._check_call(content)
        return {"role": role, "content": content}

    def _merged(self, messages: list[Any]) -> list[Any]:
        """Tool calls as a function call's text; several tools' answers as one."""
        merged: list[Any] = []
        role, content, tool = self.role, self.content, self.tags["observation_tag"]
        for message in messages:
            if self._role(message) in ("assistant", "function") and message.get("tool_calls"):
                calls = [call.get("function") for call in message["tool_calls"]]
                text = json.dumps(calls, ensure_ascii=False)
                merged.append({role: self.tags["function_tag"], content: text})
            elif message.get(role) == tool and merged and merged[-1].get(role) == tool:
                joined = f"{merged[-1][content]}\n{message.get(content)}"
                merged[-1] = {role: tool, content: joined}
            else:
                merged.append(message)
        return merged
