"""Self-Instruct's second stage: which instructions are classification tasks."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    ANY_COLUMN,
    Capability,
    Context,
    Inputs,
    PromptMarker,
    Record,
    Reject,
    RowGenerator,
    Sampling,
)
from sftrecipe_registry.shared.replies.reply import ask_once, nothing_said

_YES = re.compile(r"\W*(?:yes\b|是)", re.IGNORECASE)
_NO = re.compile(r"\W*(?:no\b|not\b|否|不)", re.IGNORECASE)
_STOPS = ["\n", "Task", "任务"]


class SelfInstructClassify(Sampling, RowGenerator):
    """Ask, after 31 examples, whether each instruction is a classification task.

    The answer becomes the column `is_classification`, by which `self_instruct_instances` chooses
    its prompt. What is neither yes nor no counts as no, in the counter `unclear`; a model that
    thinks needs a larger `max_tokens`, else its replies are rejects (`cut_off`).
    """

    paper: ClassVar[str] = (
        "Wang et al. 2023, Self-Instruct (arXiv 2212.10560), section 2.2; identify_clf_or_not.py"
    )
    example: ClassVar[str] = """\
- {id: typed, use: self_instruct_classify, from: tasks, provider: teacher}
"""

    ask: Literal["chat", "complete"] = "chat"
    """`chat`: ask an assistant; `complete`: let the model go on with the list, as the original
    does."""
    prompt: Annotated[
        str, PromptMarker(variables=frozenset({"chat"}), shows=(frozenset({ANY_COLUMN}),))
    ] = "builtin:self_instruct/classify"
    """Jinja2 file or text. It is given the row's columns, and `chat` (whether an assistant is
    asked)."""
    strict_original: bool = False
    """Only `Yes`, `yes` and `YES` are yes."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    max_tokens: Annotated[int, Gt(0)] | None = 3

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion."""
        return frozenset({self.ask})

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns and `is_classification`."""
        return None if inputs is None else inputs | {"is_classification"}

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The row with its answer."""
        prompt = ctx.prompt(self.prompt).render({**row.columns, "chat": self.ask == "chat"})
        sampling = self.sampling()
        if self.ask == "complete":
            sampling.setdefault("stop", _STOPS)
        reply = await ask_once(ctx.model, prompt, sampling, raw=self.ask == "complete")
        if lost := nothing_said(reply):
            return [ctx.reject(row.columns, *lost, parents=[row], replies=[reply])]
        columns = {**row.columns, "is_classification": self._is_yes(reply.text, ctx)}
        return [ctx.row(columns, parents=[row], replies=[reply], scores=row.scores, tags=row.tags)]

    def _is_yes(self, text: str, ctx: Context) -> bool:
        yes = bool(_YES.match(text))
        if not yes and not _NO.match(text):
            ctx.count("unclear")
        return text.strip() in ("Yes", "yes", "YES") if self.strict_original else yes
