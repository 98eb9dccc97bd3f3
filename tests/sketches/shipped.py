"""Row-scoped plugins that are sent to another process, as Ray does it."""

from __future__ import annotations

import asyncio
import pickle
import re
from collections.abc import Sequence
from typing import Annotated

from sftrecipe import Context, Record, Reject, RowFilter, RowGenerator, Verdict
from sftrecipe.plugin import InputFile, Pattern, PromptMarker, Request
from sftrecipe.testing import FakeModel


class Words(RowFilter):
    """Reject rows with a word of a list, or that a pattern finds."""

    words: InputFile
    """One word a line."""
    pattern: Pattern
    """What must not be found."""

    def judge_row(self, row: Record, ctx: Context) -> Verdict:
        words = ctx.once("words", lambda: ctx.files.text(self.words).split())
        pattern = ctx.once("pattern", lambda: re.compile(self.pattern))
        text = row.text("output")
        for word in words:
            if word in text:
                return Verdict(False, "word", detail=word)
        return Verdict(not pattern.search(text), "pattern")


class Reworded(RowGenerator):
    """Each row's instruction in other words."""

    needs = frozenset({"chat"})

    prompt: Annotated[str, PromptMarker()] = "Reword: {{ instruction }}"
    """What is asked."""

    async def generate_row(self, row: Record, ctx: Context) -> Sequence[Record | Reject]:
        asked = ctx.prompt(self.prompt).render(row.columns)
        reply = await ctx.model.chat([{"role": "user", "content": asked}])
        return [ctx.row({"instruction": reply.text}, parents=[row], replies=[reply])]


def shouted(request: Request) -> str:
    text: str = request.messages[-1]["content"]
    return text.upper()


def judge_there(shipped: bytes) -> bytes:
    """In the other process: judge rows with a plugin and a context that came by pickle."""
    plugin, ctx, rows = pickle.loads(shipped)
    return pickle.dumps([plugin.judge_row(row, ctx) for row in rows])


def generate_there(shipped: bytes) -> bytes:
    """In the other process: generate with a context whose model is connected there."""
    plugin, ctx, rows = pickle.loads(shipped)
    ctx.models = {"": FakeModel(shouted)}

    async def all_rows() -> list[Record | Reject]:
        return [item for row in rows for item in await plugin.generate_row(row, ctx)]

    return pickle.dumps(asyncio.run(all_rows()))
