"""Chat turns as the text that a model reads, by the template that came with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

Turns = Sequence[Mapping[str, Any]]
TURN_TOKENS = 4
"""Of a turn's role and marks, where no template tells."""


def chat_renderer(template: str, **tokens: str) -> Callable[[Turns], str]:
    """A function that writes turns as `transformers` would, up to where the model goes on.

    `tokens`: the special tokens that templates name (`bos_token` …). Raises jinja2.TemplateError,
    also in the function.
    """
    from jinja2 import Undefined  # noqa: PLC0415 - slow to import

    from sftrecipe.plugin import make_sandbox, render_template  # noqa: PLC0415 - imports jinja2

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = make_sandbox(Undefined, trim=True, raise_exception=refuse)
    compiled = environment.from_string(template)
    return lambda turns: render_template(
        compiled, {"messages": turns, "add_generation_prompt": True, **tokens}
    )


def turns_text(turns: Turns) -> str:
    """What the turns say, one a line."""
    return "\n".join(str(turn.get("content") or "") for turn in turns)
