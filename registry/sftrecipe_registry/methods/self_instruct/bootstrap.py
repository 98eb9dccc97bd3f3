"""Self-Instruct's first stage: new instructions out of a pool that grows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import TYPE_CHECKING, Annotated, ClassVar

from annotated_types import Ge, Gt, Le

from sftrecipe.plugin import (
    Context,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    Reply,
    Texts,
)
from sftrecipe_registry.methods.self_instruct.growing_pool import Candidates, GrowingPool, Question
from sftrecipe_registry.methods.self_instruct.numbered_list import parse_numbered
from sftrecipe_registry.methods.self_instruct.seed_examples import drawn
from sftrecipe_registry.shared.text.instruction_rules import Rules

if TYPE_CHECKING:
    from sftrecipe_registry.methods.self_instruct.instruction_pool import InstructionPool

texts = Texts(__package__)

_VARIABLES = frozenset({"instructions", "number", "count", "chat", "classification"})


class SelfInstructBootstrap(GrowingPool):
    """Write new instructions after eight shown ones, from seeds and from its own, in rounds.

    Each prompt is a numbered list of human seeds and up to two accepted instructions, and the model
    goes on with it. What it writes is accepted if Self-Instruct's heuristics find no fault and its
    ROUGE-L with every seed and accepted instruction is at most `max_rouge`, which becomes the score
    `rouge`. Rejects: `empty`, `too_short`, `too_long`, `blacklisted`, `write_a_program`,
    `punctuation_first`, `non_ascii_first`, `too_similar` (with the nearest row), `no_tokens`,
    `preamble`, `cut_off`, `not_listed`.
    """

    paper: ClassVar[str] = (
        "Wang et al. 2023, Self-Instruct (arXiv 2212.10560), section 2.2; bootstrap_instructions.py"
    )
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **GrowingPool.decides,
        "preamble": (),
        "not_listed": (),
    }
    example: ClassVar[str] = """\
- id: tasks
  use: self_instruct_bootstrap
  from: seeds
  provider: teacher
  with: {count: 500, ask: chat}
"""
    rules: ClassVar[Rules] = "self_instruct"

    prompt: Annotated[
        str, PromptMarker(variables=_VARIABLES, columns=False, shows=(frozenset({"instructions"}),))
    ] = "builtin:self_instruct/bootstrap"
    """Jinja2 file or text. It is given `instructions` (the shown ones), `number` (of the next),
    `count`, `chat` (whether an assistant is asked) and `classification`."""
    shots: Annotated[int, Gt(0)] = 8
    """Instructions shown."""
    machine_shots: Annotated[int, Ge(0)] = 2
    """How many of them are the model's own, at most: fewer while it has made fewer."""
    per_reply: Annotated[int, Gt(0)] = 7
    """New instructions that a prompt asks for; a completion is stopped after them."""
    classification_only: bool = False
    """Show only seeds whose `is_classification` is true, and ask for classification tasks."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 0.7
    top_p: Annotated[float, Gt(0), Le(1)] | None = 0.5
    presence_penalty: Annotated[float, Ge(-2), Le(2)] | None = 2.0
    max_tokens: Annotated[int, Gt(0)] | None = 1024

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """More of its own to show than there is room; seeds that do not say what they are."""
        yield from super().problems(inputs, files)
        if self.machine_shots > self.shots:
            values = {"machine_shots": self.machine_shots, "shots": self.shots}
            yield OptionProblem(("machine_shots",), texts("more-than-shots", **values))
        if self.classification_only and inputs is not None and "is_classification" not in inputs:
            told = texts("no-column", column="is_classification")
            yield OptionProblem(("classification_only",), told, texts("add-to-seeds"))

    def columns(self, inputs: Inputs) -> Inputs:
        """The instruction."""
        return frozenset({"instruction"})

    def question(self, pool: InstructionPool, ctx: Context, *salt: object) -> Question:
        """Up to `machine_shots` of its own and seeds, shuffled, as a list left open."""
        chance = ctx.random("own", *salt)
        own = chance.sample(pool.made, min(self.machine_shots, len(pool.made)))
        seeds = pool.seeds
        if self.classification_only:
            seeds = [row for row in seeds if row.columns.get("is_classification") is True]
        shown = own + drawn(seeds, self.shots - len(own), ctx, "seeds", *salt)
        chance.shuffle(shown)
        prompt = ctx.prompt(self.prompt).filled(
            {
                "instructions": [_one_line(row.text("instruction")) for row in shown],
                "number": len(shown) + 1,
                "count": self.per_reply,
                "chat": self.ask == "chat",
                "classification": self.classification_only,
            }
        )
        return Question(shown, prompt, 0)

    def new_in_reply(self) -> int:
        """`per_reply`."""
        return self.per_reply

    def carried(self) -> int:
        """One, or more where more are shown than a prompt asks for."""
        return ceil(self.machine_shots / self.per_reply)

    def stops(self, question: Question) -> list[str]:
        """An empty line, or the number after the last one wanted."""
        end = len(question.shown) + self.per_reply + 1
        return ["\n\n", f"\n{end}", f"{end}.", f"{end} ."]

    def candidates(self, reply: Reply, question: Question) -> Candidates:
        """The list's items; `strict_original` drops a reply that was cut off whole, and lower-cases
        all but an item's first letter."""
        found = parse_numbered(
            reply.text,
            finish_reason=reply.finish_reason,
            continues=self.ask == "complete",
            cut="reply" if self.strict_original else "last",
            capitalise=self.strict_original,
        )
        lost = [(lost.reason, lost.text) for lost in found.discards]
        if not found.items and not lost:
            lost.append(("not_listed", reply.text))
        return Candidates([{"instruction": text} for text in found.items], lost)


def _one_line(text: str) -> str:
    return " ".join(text.split()).rstrip(":：")
