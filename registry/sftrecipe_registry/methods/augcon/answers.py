"""AugCon's answers: from the context, by principles, after demonstrations found by search."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from typing import Annotated, Any, ClassVar, NamedTuple

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    ANY_COLUMN,
    CallFailed,
    Capability,
    Context,
    Expected,
    Generator,
    InputFile,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Record,
    Reject,
    Reply,
    Rows,
    Sampling,
    Texts,
)
from sftrecipe_registry.methods.augcon.context_split import Mode
from sftrecipe_registry.methods.augcon.demonstrations import Demonstration, DemonstrationSearch
from sftrecipe_registry.methods.augcon.question_columns import missing_columns
from sftrecipe_registry.shared.replies.reply import (
    Lost,
    ask_once,
    cut_off_detail,
    lost_reply,
    nothing_said,
)
from sftrecipe_registry.shared.text.row_text import with_answer

texts = Texts(__package__)

_ASKED = ("context", "question", "answer")

_NO_ANSWER = Lost("no_answer")


class AugConAnswers(Sampling, Generator):
    """Answer every row's question from its `context`, and put the answer into `output`.

    The prompt states principles and shows demonstrations. These are bootstrapped once: the model
    answers a person's questions itself, and where it judges its answer to agree with the person's,
    its own, with its reasoning, may be shown. `sets` of them are drawn, and the one whose answers
    to the other questions agree most often is shown with every row: at most 2 calls a
    demonstration, and 2 for each that a set leaves out. The paper trains on question and answer
    alone: write `reasoning: drop` at the exporter, else the reasoning is exported as a thought.
    """

    needs: ClassVar[frozenset[Capability]] = frozenset({"complete"})
    version: ClassVar[str] = "2"
    paper: ClassVar[str] = "Quan 2024, AugCon (arXiv 2405.16579), self-alignment, self-improving"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {"no_answer": ()}
    example: ClassVar[str] = """\
- id: answers
  use: augcon_answers
  from: queries
  provider: teacher
  with: {mode: chat, demonstrations: augcon/demonstrations.en.jsonl}
"""

    prompt: Annotated[
        str,
        PromptMarker(
            variables=frozenset({"demonstrations", "reasoning", "context", "question"}),
            shows=(frozenset({"question", ANY_COLUMN}),),
        ),
    ] = "builtin:augcon/answer"
    """What asks for an answer; given `context`, `question`, `demonstrations` (with `context`,
    `question`, `answer`, some with `reasoning`) and `reasoning`."""
    judge: Annotated[
        str,
        PromptMarker(
            variables=frozenset({"question", "reference", "answer"}),
            columns=False,
            shows=(frozenset({"answer"}),),
        ),
    ] = "builtin:augcon/judge"
    """What asks whether an answer agrees with the reference, yes or no."""
    demonstrations: InputFile | None = None
    """JSON lines written by a person, each with `context`, `question` and `answer`; left out: no
    demonstrations, no search."""
    bootstrapped: Annotated[int, Ge(0)] = 3
    """The model's own answers that are shown at most; 0: none, without a call."""
    labelled: Annotated[int, Ge(0)] = 3
    """A person's answers that are shown at most."""
    sets: Annotated[int, Gt(0)] = 4
    """Sets of demonstrations to choose from; 1: the first drawn, untried."""
    reasoning: bool = True
    """Reason before the answer; the reasoning is kept in the column `reasoning`."""
    mode: Mode = "complete"
    """`complete`: the model goes on with the prompt, as in the paper; `chat`: it is a user turn."""
    strict_original: bool = False
    """As the released code: one set, bootstrapped once, without a search."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.2
    """Sampling temperature."""
    max_tokens: Annotated[int, Gt(0)] | None = 1024
    """Tokens to write at most."""
    stop: tuple[str, ...] = ("---",)
    """Texts at which writing ends."""

    def required(self) -> frozenset[Capability]:
        """Raw completion, or chat."""
        return frozenset({self.mode})

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """Rows that are no questions about a context; demonstrations that are none."""
        for column in missing_columns(inputs):
            yield OptionProblem((), texts("no-column", column=column), texts("set-from"))
        if self.demonstrations in files.paths:
            for number, line in enumerate(files.text(self.demonstrations).splitlines(), 1):
                if line.strip() and _demonstration(line) is None:
                    told = texts("no-demonstration", file=self.demonstrations, line=number)
                    yield OptionProblem(("demonstrations",), told, texts("write-demonstration"))

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns and `output`."""
        if inputs is None:
            return None
        return inputs | {"output"} | ({"reasoning"} if self.reasoning else set())

    def expected(self, least: int, most: int | None) -> Expected:
        """A call a row, and those for the demonstrations, whose number is not known here."""
        return Expected((least, None if self.demonstrations else most), (0, most))

    async def generate(self, rows: Rows, ctx: Context) -> AsyncIterator[Record | Reject]:
        """The rows with their answers, in order."""
        shown = await self._demonstrations(ctx)

        async def answer(row: Record) -> Reply:
            return await self._ask(_question(row), shown, ctx, row.columns)

        async for row, reply in ctx.map(answer, rows):
            if isinstance(reply, CallFailed):
                calls = (*row.calls, reply.key) if reply.key else row.calls
                yield Reject(row._replace(calls=calls), reply.reason, reply.message)
            else:
                yield self._answered(row, reply, ctx)

    async def _demonstrations(self, ctx: Context) -> list[Demonstration]:
        if self.demonstrations is None:
            return []
        lines = ctx.files.text(self.demonstrations).splitlines()
        given = [found for line in lines if (found := _demonstration(line))]

        async def answer(
            one: Demonstration, shown: Sequence[Demonstration]
        ) -> Demonstration | None:
            reply = await self._ask(one, shown, ctx)
            found = self._answer_parts(reply)
            return {**one, **found._asdict()} if found.answer else None

        async def agree(made: Demonstration, reference: Demonstration) -> bool:
            return await self._agree(made, reference, ctx)

        search = DemonstrationSearch(
            answer,
            agree,
            self.bootstrapped,
            self.labelled,
            1 if self.strict_original else self.sets,
        )
        return await search.best(given, ctx)

    async def _ask(
        self,
        one: Demonstration,
        shown: Sequence[Demonstration],
        ctx: Context,
        columns: Any = None,
    ) -> Reply:
        variables = {"demonstrations": list(shown), "reasoning": self.reasoning}
        prompt = ctx.prompt(self.prompt).render({**(columns or {}), **one, **variables})
        return await self._reply(prompt, self.sampling(), ctx)

    async def _agree(self, made: Demonstration, reference: Demonstration, ctx: Context) -> bool:
        """What the model itself says; a reply that is neither yes nor no counts as no."""
        prompt = ctx.prompt(self.judge).render(
            {
                "question": made["question"],
                "reference": reference["answer"],
                "answer": made["answer"],
            }
        )
        reply = await self._reply(prompt, {"temperature": 0, "max_tokens": 8}, ctx)
        if nothing_said(reply):  # a model that thinks takes more
            reply = await self._reply(prompt, {"temperature": 0}, ctx)
        verdict = agrees(reply.text)
        ctx.count("judged")
        ctx.count("judged_unclear", verdict is None)
        return verdict is True

    async def _reply(self, prompt: str, sampling: dict[str, Any], ctx: Context) -> Reply:
        return await ask_once(ctx.model, prompt, sampling, raw=self.mode == "complete")

    def _answer_parts(self, reply: Reply) -> Answered:
        return find_answer(reply.text, reasoning=self.reasoning)

    def _answered(self, row: Record, reply: Reply, ctx: Context) -> Record | Reject:
        found = self._answer_parts(reply)
        columns = with_answer(row.columns, found.answer)
        if self.reasoning:
            columns["reasoning"] = found.reasoning
        if not found.answer:
            columns["output"] = reply.text.strip()
            lost = None if reply.text.strip() else lost_reply(reply)
            return ctx.reject(columns, *(lost or _NO_ANSWER), parents=[row], replies=[reply])
        if reply.cut_off:
            return ctx.reject(
                columns, "cut_off", cut_off_detail(reply), parents=[row], replies=[reply]
            )
        return ctx.row(columns, parents=[row], replies=[reply], tags=row.tags)


def _question(row: Record) -> Demonstration:
    return {"context": row.text("context"), "question": row.text("instruction")}


def _demonstration(line: str) -> Demonstration | None:
    """A line's texts, stripped; None where one is missing."""
    try:
        read = json.loads(line)
    except ValueError:
        return None
    if not isinstance(read, dict):
        return None
    texts = {name: read.get(name) for name in _ASKED}
    if not all(isinstance(text, str) and text.strip() for text in texts.values()):
        return None
    return {"reasoning": "", **{name: str(text).strip() for name, text in texts.items()}}


_ANSWER = re.compile(r"^[ \t>*#_\-]*(?:answer|回答|答案)[ \t*_]*[:：][ \t*_]*", re.I | re.M)
_LABELS = re.compile(r"\A(?:[\s>*#_\-]*(?:answer|回答|答案)[ \t*_]*[:：])+[ \t*_]*", re.I)
"""Labels that a reply repeats after the first."""
_REASONING = re.compile(r"^[ \t>*#_\-]*(?:reasoning|推理)[ \t*_]*[:：][ \t*_]*", re.I | re.M)
_NEXT = re.compile(
    r"^[ \t]*(?:-{3,}[ \t]*$|(?:context|question|语境|上下文|问题)[ \t]*[:：])", re.I | re.M
)
_AGREES = re.compile(
    r"(?P<no>\b(?:no|not)\b|不|否|没有)|(?P<yes>\byes\b|是|一致|相符|对)", re.IGNORECASE
)


class Answered(NamedTuple):
    """What a reply holds; the answer is empty where there is none."""

    reasoning: str
    answer: str


def find_answer(text: str, *, reasoning: bool) -> Answered:
    """The answer of a reply, and the reasoning before it.

    The reply goes on from the prompt's label or repeats it; the next example that a model makes up
    is cut off. With `reasoning`, what has no label `Answer:` is no answer. Never raises.
    """
    said = text.strip()
    if first := _NEXT.search(said):
        said = said[: first.start()].strip()
    labels = list(_ANSWER.finditer(said))
    if labels:
        thought = _REASONING.sub("", said[: labels[0].start()], count=1).strip()
        return Answered(thought, _LABELS.sub("", said[labels[0].end() :]).strip())
    if reasoning:
        return Answered(_REASONING.sub("", said, count=1).strip(), "")
    return Answered("", said)


def agrees(text: str) -> bool | None:
    """Whether a judge's reply begins with yes or with no, as whole words; None: neither."""
    found = _AGREES.search(text)
    return None if found is None else found["yes"] is not None
