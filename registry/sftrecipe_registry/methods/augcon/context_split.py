"""AugCon's split of a context: a question about it, and its two halves."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal, NamedTuple, Protocol

from sftrecipe.plugin import Model, Reply, is_cut_off
from sftrecipe_registry.shared.replies.reply import ask_once
from sftrecipe_registry.shared.text.sentences import sentences

Mode = Literal["complete", "chat"]
SplitBy = Literal["model", "middle"]

_LABEL = re.compile(
    r"^[ \t>*#_\-]*(?:(?P<question>question|问题)"
    r"|(?:context|上下文|语境)[ \t]*(?P<part>[12１２一二]?))[ \t*_]*[:：][ \t*_]*",
    re.IGNORECASE | re.MULTILINE,
)
_PARTS = {"1": 1, "１": 1, "一": 1, "2": 2, "２": 2, "二": 2, "": 0}
_RULE = re.compile(r"^[ \t]*-{3,}[ \t]*$", re.MULTILINE)


class Prompt(Protocol):
    """What `ctx.prompt` gives."""

    def render(self, variables: Mapping[str, Any]) -> str: ...


class Split(NamedTuple):
    """What a reply holds."""

    question: str
    first: str
    second: str


def find_split(text: str, *, finish_reason: str = "stop", one_line: bool = False) -> Split | None:
    """The question and the two contexts of a reply, in English or Chinese; None if one is missing.

    The question stands after its label, or before everything else where the prompt ended with the
    label. A reply that was cut off within its last part has none. `one_line`: the released code's
    pattern, in which each part is one line. Never raises.
    """
    ruled = _RULE.split(text, maxsplit=1)
    if one_line:
        return _of_three_lines(ruled[0])
    whole = not is_cut_off(finish_reason) or len(ruled) > 1
    labels = list(_LABEL.finditer(ruled[0]))
    ends = [label.start() for label in labels[1:]] + [len(ruled[0])]
    question, halves = _before(ruled[0]), ["", ""]
    for at, (label, end) in enumerate(zip(labels, ends, strict=False), 1):
        said = ruled[0][label.end() : end].strip()
        part = _part(label)
        if label["question"] and not halves[0]:
            question = said
        elif part == 1 and not halves[0]:
            halves[0] = said
        elif part == 2 and halves[0]:
            halves[1] = said if whole or at < len(labels) else ""
            break
    question = question.partition("\n")[0].strip(" *_")
    return Split(question, *halves) if question and all(halves) else None


def find_question(text: str) -> str:
    """The question of a reply that holds nothing else: its first line; empty if there is none."""
    said = _RULE.split(text, maxsplit=1)[0].strip()
    label = _LABEL.match(said)
    if label and not label["question"]:
        return ""
    return said[label.end() if label else 0 :].strip().partition("\n")[0].strip(" *_")


def middle_split(text: str) -> tuple[str, str]:
    """The text cut at the end of a sentence, the one nearest to its middle.

    Of a single sentence, the text and nothing. Source: AugCon's ablation without the model's split.
    """
    ends = list(accumulate(len(sentence) for sentence in sentences(text)))[:-1]
    if not ends:
        return text, ""
    cut = min(ends, key=lambda end: abs(2 * end - len(text)))
    return text[:cut].strip(), text[cut:].strip()


def _of_three_lines(text: str) -> Split | None:
    """The released code's pattern: a question and two contexts, each whole on its line."""
    lines = [line for line in text.splitlines() if line.strip()]
    for three in zip(lines, lines[1:], lines[2:], strict=False):
        labels = [_LABEL.match(line) for line in three]
        if [label and _part(label) for label in labels[1:]] != [1, 2]:
            continue
        said = [
            line[label.end() if label else 0 :].strip()
            for line, label in zip(three, labels, strict=True)
        ]
        if all(said) and (labels[0] is None or labels[0]["question"]):
            return Split(*said)
    return None


def _part(label: re.Match[str]) -> int:
    """1 or 2 of a half's label, 0 of any other."""
    return 0 if label["question"] else _PARTS[label["part"]]


def _before(text: str) -> str:
    first = _LABEL.search(text)
    return text[: first.start()].strip() if first else ""


class PromptForm(NamedTuple):
    """How well the prompt asks."""

    terse: bool = False
    """A terse instruction."""
    shots: int = 3
    """Examples that it shows."""


PROMPT_VARIABLES = frozenset({"context", "halves", *PromptForm._fields})
"""What the prompt is given."""


class SplitReply(NamedTuple):
    """What asking for a split brought."""

    split: Split | None
    replies: list[Reply]
    """Of every attempt."""


@dataclass(frozen=True)
class SplitAsker:
    """Asks a model to split, again where its reply cannot be read."""

    model: Model
    mode: Mode
    sampling: Mapping[str, Any]
    attempts: int
    by: SplitBy
    one_line: bool = False

    async def ask(
        self, prompt: Prompt, context: str, form: PromptForm, sample: int = 0
    ) -> SplitReply:
        """The first readable reply of `attempts`. Raises CallFailed."""
        text = prompt.render({"context": context, "halves": self.by == "model", **form._asdict()})
        replies: list[Reply] = []
        for attempt in range(self.attempts):
            raw = self.mode == "complete"
            reply = await ask_once(
                self.model, text, self.sampling, raw=raw, sample=sample + attempt
            )
            replies.append(reply)
            if split := self._read(reply, context):
                return SplitReply(split, replies)
        return SplitReply(None, replies)

    def _read(self, reply: Reply, context: str) -> Split | None:
        if self.by == "model":
            return find_split(reply.text, finish_reason=reply.finish_reason, one_line=self.one_line)
        question = find_question(reply.text)
        return Split(question, *middle_split(context)) if question else None
