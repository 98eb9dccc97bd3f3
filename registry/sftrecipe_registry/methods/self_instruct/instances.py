"""Self-Instruct's third stage: inputs and outputs for every instruction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    ANY_COLUMN,
    Capability,
    Context,
    Expected,
    Inputs,
    PromptMarker,
    Record,
    Reject,
    Reply,
    RowGenerator,
    Sampling,
)
from sftrecipe_registry.methods.self_instruct.task_instances import (
    Instance,
    LostPart,
    Part,
    faults,
    parse_examples,
    parse_labelled,
)
from sftrecipe_registry.shared.replies.reply import ask_once, nothing_said
from sftrecipe_registry.shared.text.row_text import with_answer

_VARIABLES = frozenset({"count", "chat"})
_STOPS = ("Task:", "任务：")


class SelfInstructInstances(Sampling, RowGenerator):
    """Write examples for each instruction, one row each with `instruction`, `input` and `output`.

    A row whose `is_classification` is true is asked for its class labels first and an input for
    each, any other for inputs first. Rejects: `input_is_output`, `empty_output`, `ends_with_colon`,
    `contradicting` (one input with different outputs: all of the task's), `repeated`,
    `beyond_limit`, `cut_off`, `preamble`, `second_output`, `next_input`, `no_instance`,
    `empty_reply`.
    """

    paper: ClassVar[str] = (
        "Wang et al. 2023, Self-Instruct (arXiv 2212.10560), section 2.2; generate_instances.py, "
        "prepare_for_finetuning.py"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "beyond_limit": ("max_instances",),
        "input_is_output": (),
        "empty_output": (),
        "ends_with_colon": (),
        "contradicting": (),
        "repeated": (),
        "preamble": (),
        "next_input": (),
        "second_output": (),
        "no_instance": (),
        "empty_reply": (),
    }
    example: ClassVar[str] = """\
- {id: examples, use: self_instruct_instances, from: typed, provider: teacher}
"""

    ask: Literal["chat", "complete"] = "chat"
    """`chat`: ask an assistant; `complete`: let the model go on with the list, as the original
    does."""
    input_first: Annotated[
        str, PromptMarker(variables=_VARIABLES, shows=(frozenset({ANY_COLUMN}),))
    ] = "builtin:self_instruct/input_first"
    """Prompt for tasks that are not classification: Jinja2 file or text. It is given the row's
    columns, `count` (`max_instances`) and `chat` (whether an assistant is asked)."""
    output_first: Annotated[
        str, PromptMarker(variables=_VARIABLES, shows=(frozenset({ANY_COLUMN}),))
    ] = "builtin:self_instruct/output_first"
    """Prompt for classification tasks, given the same."""
    max_instances: Annotated[int, Gt(0)] = 5
    """Examples of a task at most; of more, some are drawn."""
    strict_original: bool = False
    """Read replies as the released code does: the word Example begins an example in the middle of a
    line too, and what stands before the first is one."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.0
    presence_penalty: Annotated[float, Ge(-2), Le(2)] | None = 1.5
    max_tokens: Annotated[int, Gt(0)] | None = 350

    def required(self) -> frozenset[Capability]:
        """Chat, or raw completion."""
        return frozenset({self.ask})

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns with `input` and `output`."""
        return None if inputs is None else inputs | {"input", "output"}

    def expected(self, least: int, most: int | None) -> Expected:
        """One call a row, and up to `max_instances` rows."""
        return Expected((least, most), (0, None if most is None else most * self.max_instances))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The task's instances, and rejects."""
        labelled = row.columns.get("is_classification") is True
        template = ctx.prompt(self.output_first if labelled else self.input_first)
        given = {**row.columns, "count": self.max_instances, "chat": self.ask == "chat"}
        reply = await self._reply(template.render(given), ctx)
        if lost := nothing_said(reply):
            return [ctx.reject(row.columns, *lost, parents=[row], replies=[reply])]
        if labelled:
            parts = parse_labelled(reply.text, finish_reason=reply.finish_reason)
        else:
            parts = parse_examples(
                reply.text,
                finish_reason=reply.finish_reason,
                strict_original=self.strict_original,
            )
        return list(self._rows_and_rejects(row, parts, reply, ctx))

    async def _reply(self, prompt: str, ctx: Context) -> Reply:
        sampling = self.sampling()
        if self.ask == "complete":
            sampling.setdefault("stop", [f"Example {self.max_instances + 1}", *_STOPS])
        return await ask_once(ctx.model, prompt, sampling, raw=self.ask == "complete")

    def _rows_and_rejects(
        self, row: Record, parts: Sequence[Part], reply: Reply, ctx: Context
    ) -> Iterator[Record | Reject]:
        instances = [part for part in parts if isinstance(part, Instance)]
        reasons = faults(instances)
        sound = [at for at, reason in enumerate(reasons) if not reason]
        if len(sound) > self.max_instances:
            kept = ctx.random("instances", row.id).sample(sound, self.max_instances)
            for at in set(sound) - set(kept):
                reasons[at] = "beyond_limit"
        for instance, reason in zip(instances, reasons, strict=True):
            columns = with_answer({**row.columns, "input": instance.input}, instance.output)
            if reason:
                yield ctx.reject(columns, reason, parents=[row], replies=[reply])
            else:
                yield ctx.row(
                    columns, parents=[row], replies=[reply], scores=row.scores, tags=row.tags
                )
        for lost in (part for part in parts if isinstance(part, LostPart)):
            columns = {**row.columns, "reply": lost.text}
            yield ctx.reject(columns, lost.reason, parents=[row], replies=[reply])
