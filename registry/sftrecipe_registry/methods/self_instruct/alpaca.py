"""Stanford Alpaca's variant of Self-Instruct: whole tasks, twenty in one prompt."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
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
from sftrecipe_registry.methods.self_instruct.numbered_tasks import (
    parse_tasks,
    parse_tasks_original,
)
from sftrecipe_registry.methods.self_instruct.seed_examples import drawn, seed_example
from sftrecipe_registry.shared.text.instruction_rules import Rules

if TYPE_CHECKING:
    from sftrecipe_registry.methods.self_instruct.instruction_pool import InstructionPool

texts = Texts(__package__)

_VARIABLES = frozenset({"examples", "number", "count", "chat"})


class Alpaca(GrowingPool):
    """Write tasks with input and output, a list of twenty in one reply, after three seeds.

    An instruction is accepted if Alpaca's heuristics find no fault and its ROUGE-L with every seed
    and accepted instruction is at most `max_rouge`, which becomes the score `rouge`. Rejects:
    those of `self_instruct_bootstrap`, and `malformed` for a task without its three parts.
    """

    paper: ClassVar[str] = "Stanford Alpaca (Taori et al. 2023), generate_instruction.py"
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        **GrowingPool.decides,
        "preamble": (),
        "malformed": (),
        "empty_reply": (),
    }
    example: ClassVar[str] = """\
- id: tasks
  use: alpaca
  from: seeds
  provider: teacher
  with: {count: 500}
"""
    rules: ClassVar[Rules] = "alpaca"

    prompt: Annotated[
        str, PromptMarker(variables=_VARIABLES, columns=False, shows=(frozenset({"examples"}),))
    ] = "builtin:alpaca/tasks"
    """Jinja2 file or text. It is given `examples` (the seeds' columns), `number` (of the next
    task), `count` (`tasks`) and `chat` (whether an assistant is asked)."""
    shots: Annotated[int, Gt(0)] = 3
    """Seeds shown."""
    tasks: Annotated[int, Gt(0)] = 20
    """Tasks in the whole list, the shown ones included; a completion is stopped before the last, as
    the original does."""
    temperature: Annotated[float, Ge(0), Le(2)] | None = 1.0
    top_p: Annotated[float, Gt(0), Le(1)] | None = 1.0
    max_tokens: Annotated[int, Gt(0)] | None = 3072

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A list that the shown seeds fill already."""
        yield from super().problems(inputs, files)
        if self.tasks <= self.shots:
            told = texts("no-task-left", tasks=self.tasks, shots=self.shots)
            yield OptionProblem(("tasks",), told, texts("raise-tasks"))

    def columns(self, inputs: Inputs) -> Inputs:
        """Instruction, input and output."""
        return frozenset({"instruction", "input", "output"})

    def question(self, pool: InstructionPool, ctx: Context, *salt: object) -> Question:
        """Seeds alone are shown."""
        shown = drawn(pool.seeds, self.shots, ctx, "seeds", *salt)
        prompt = ctx.prompt(self.prompt).filled(
            {
                "examples": [_shown_task(seed_example(row)) for row in shown],
                "number": len(shown) + 1,
                "count": self.tasks,
                "chat": self.ask == "chat",
            }
        )
        return Question(shown, prompt, 0)

    def new_in_reply(self) -> int:
        """The tasks of the list that are not shown."""
        return self.tasks - self.shots

    def carried(self) -> int:
        """None: only seeds are shown."""
        return 0

    def stops(self, question: Question) -> list[str]:
        """The number of the last task."""
        return [f"\n{self.tasks}", f"{self.tasks}."]

    def candidates(self, reply: Reply, question: Question) -> Candidates:
        """The reply's tasks."""
        first, reason = len(question.shown) + 1, reply.finish_reason
        if self.strict_original:
            return parse_tasks_original(reply.text, first=first, finish_reason=reason)
        return parse_tasks(
            reply.text, first=first, finish_reason=reason, continues=self.ask == "complete"
        )


def _shown_task(columns: dict[str, str]) -> dict[str, str]:
    instruction = " ".join(columns["instruction"].split()).rstrip(":：")
    return {**columns, "instruction": instruction}
