"""Conversations of several turns: one model plays the user, another answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any, ClassVar

from annotated_types import Gt

from sftrecipe.plugin import (
    PLAIN_COLUMNS,
    Capability,
    Context,
    Expected,
    InputFile,
    Inputs,
    OptionFiles,
    OptionProblem,
    PromptMarker,
    ProviderMarker,
    Record,
    Reject,
    Reply,
    RowGenerator,
    Sampling,
    Texts,
    Turn,
    chat,
)
from sftrecipe_registry.shared.files.plain_yaml import plain_yaml
from sftrecipe_registry.shared.replies.reply import Lost, ask_once, lost_reply
from sftrecipe_registry.shared.replies.thoughts import Kept, KeptThought

texts = Texts(__package__)

_VARIABLES = frozenset({"persona", "goal", "turns", "stop"})
_STOP = Lost("stop_word")
_NOTHING = Lost("nothing_made")
_CHAT: frozenset[Capability] = frozenset({"chat"})


class Dialogue(Sampling, KeptThought, RowGenerator):
    """Go on with every row's question as a conversation of several turns, in `messages`.

    The row's turns, or its instruction, open the conversation; without one the simulated user does.
    The user sees the conversation, a persona and a goal (column `goal`, if there is one) and ends
    it with the stop word. The block's provider answers. An empty or cut answer ends the
    conversation before it (counted); one without any answer is a reject, and so is a row that ends
    with a call of a tool or its result (`tool_call`).
    """

    needs: ClassVar[frozenset[Capability]] = _CHAT
    decides: ClassVar[Mapping[str, tuple[str, ...]]] = {
        "stop_word": ("stop_word",),
        "repeated_turn": (),
    }
    example: ClassVar[str] = """\
- id: talks
  use: dialogue
  from: questions
  provider: teacher
  with: {user: simulator, turns: 3, personas: medical/personas.en.yaml}
"""

    user: Annotated[str | None, ProviderMarker(needs=_CHAT)] = None
    """Provider that plays the user; the block's own where it is left out."""
    turns: Annotated[int, Gt(0)] = 3
    """Turns of the user at most, the opening included."""
    personas: InputFile | None = None
    """YAML or JSON list of texts that say who the user is; one is drawn for each row. A column
    `persona` comes before it."""
    system: Annotated[str, PromptMarker()] = ""
    """System prompt of the answering model, the text or a `.j2` file (Jinja2); it stays in the row.
    """
    opening: Annotated[str, PromptMarker(variables=_VARIABLES)] = "builtin:dialogue/open"
    """How the simulated user is asked for the first turn, where the row has none."""
    following: Annotated[str, PromptMarker(variables=_VARIABLES, shows=(frozenset({"turns"}),))] = (
        "builtin:dialogue/user"
    )
    """How the simulated user is asked for a next turn."""
    user_temperature: float | None = None
    """Temperature of the simulated user; that of the answers where it is left out."""
    user_raw: bool = False
    """Let the simulated user go on with its prompt as a plain text, up to the line's end: for base
    models, and small ones."""
    reasoning: Kept = "drop"
    """Keep the thoughts before the answering model's replies in their turns, or drop them."""
    stop_word: str = "[END]"
    """What the simulated user writes when nothing is left to ask; empty: it goes on for all turns.
    """

    def required(self) -> frozenset[Capability]:
        """Chat, and raw completion where it plays such a user."""
        both: frozenset[Capability] = frozenset({"chat", "complete"})
        return both if self.user_raw and self.user is None else self.needs

    def problems(self, inputs: Inputs, files: OptionFiles) -> Iterator[OptionProblem]:
        """A persona file that holds no list of texts."""
        if self.personas in files.paths and not _listed_texts(files.text(str(self.personas))):
            told = texts("no-list", file=self.personas)
            yield OptionProblem(("personas",), told, texts("write-list"))

    def columns(self, inputs: Inputs) -> Inputs:
        """The input's columns with `messages` instead of an instruction."""
        if inputs is None:
            return None
        return inputs - PLAIN_COLUMNS | {"messages"}

    def expected(self, least: int, most: int | None) -> Expected:
        """An answer and a user's turn, as often as `turns` says."""
        top = None if most is None else most * 2 * self.turns
        return Expected((least, top), (0, most))

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        """The conversation, or a reject."""
        opened = self._opened(row, ctx)
        if opened and _is_at_work(opened[-1]):
            return [Reject(row, "tool_call", f"the last turn is of '{opened[-1]['role']}'")]
        persona = row.text("persona") or self._persona(row, ctx)
        about = {**row.columns, "persona": persona, "goal": row.text("goal")}
        talk = _Talk(opened)
        lost: Lost | None = None
        while lost is None and (talk.waits_for_answer() or talk.asked() < self.turns):
            lost = await (
                self._answer(talk, ctx) if talk.waits_for_answer() else self._ask(talk, about, ctx)
            )
        if lost is not None:
            ctx.count(f"ended: {lost.reason}")
        if talk.waits_for_answer():
            talk.turns.pop()
        columns = self._columns(row, talk, persona)
        if not any(turn["role"] == "assistant" for turn in talk.turns):
            return [ctx.reject(columns, *(lost or _NOTHING), parents=[row], replies=talk.replies)]
        return [ctx.row(columns, parents=[row], replies=talk.replies, tags=row.tags)]

    async def _answer(self, talk: _Talk, ctx: Context) -> Lost | None:
        reply = await ctx.model.chat(talk.turns, sampling=self.sampling())
        talk.replies.append(reply)
        lost = lost_reply(reply)
        if lost is None:
            talk.turns.append({"role": "assistant", "content": reply.text.strip()})
            if thought := self.thought(reply):
                talk.turns[-1]["reasoning"] = thought
        return lost

    async def _ask(self, talk: _Talk, about: dict[str, Any], ctx: Context) -> Lost | None:
        spoken = [turn for turn in talk.turns if _is_heard(turn)]
        prompt = ctx.prompt(self.following if spoken else self.opening)
        text = prompt.render({**about, "turns": spoken, "stop": self.stop_word})
        sampling = self.sampling()
        if self.user_temperature is not None:
            sampling["temperature"] = self.user_temperature
        model = ctx.models[self.user or ""]
        if self.user_raw:
            sampling["stop"] = ["\n"]
        reply = await ask_once(model, text, sampling, raw=self.user_raw)
        talk.replies.append(reply)
        said = reply.text.strip()
        if self.stop_word and self.stop_word in said:
            return _STOP
        if any(said == turn["content"] for turn in spoken):
            return Lost("repeated_turn")
        lost = lost_reply(reply)
        if lost is None:
            talk.turns.append({"role": "user", "content": said})
        return lost

    def _opened(self, row: Record, ctx: Context) -> list[Turn]:
        turns = chat(row.columns)
        if self.system:
            said = ctx.prompt(self.system).render(row.columns)
            turns = [turn for turn in turns if turn["role"] != "system"]
            turns.insert(0, {"role": "system", "content": said})
        return turns

    def _persona(self, row: Record, ctx: Context) -> str:
        if self.personas is None:
            return ""
        file = self.personas
        known = ctx.once("personas", lambda: _listed_texts(ctx.files.text(file)))
        return max(known, key=lambda text: ctx.number("persona", row.id, text))

    def _columns(self, row: Record, talk: _Talk, persona: str) -> dict[str, Any]:
        rest = {name: value for name, value in row.columns.items() if name not in PLAIN_COLUMNS}
        kept = {"persona": persona} if persona else {}
        return {**rest, **kept, "messages": talk.turns}


@dataclass
class _Talk:
    """A conversation as it grows."""

    turns: list[Turn]
    replies: list[Reply] = field(default_factory=list)

    def waits_for_answer(self) -> bool:
        return bool(self.turns) and self.turns[-1]["role"] == "user"

    def asked(self) -> int:
        return sum(turn["role"] == "user" for turn in self.turns)


def _is_at_work(turn: Turn) -> bool:
    """Whether a tool is called, or its result not told yet: no user speaks then."""
    return turn["role"] == "tool" or bool(turn.get("tool_calls"))


def _is_heard(turn: Turn) -> bool:
    """Whether the user hears a turn: no system prompt, call of a tool, or result of one."""
    if turn["role"] in ("system", "tool"):
        return False
    return bool(turn["content"]) or not turn.get("tool_calls")


def _listed_texts(content: str) -> list[str]:
    """The texts of a YAML or JSON list; none where it is anything else."""
    try:
        found = plain_yaml(content)
    except ValueError:
        return []
    whole = isinstance(found, list) and all(isinstance(text, str) and text for text in found)
    return list(dict.fromkeys(found)) if whole else []
