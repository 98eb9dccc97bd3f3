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
    from jinja2.sandbox import ImmutableSandboxedEnvironment  # noqa: PLC0415 - slow to import

    def refuse(message: str) -> None:
        raise ValueError(message)

    environment = ImmutableSandboxedEnvironment(trim_blocks=True, lstrip_blocks=True)
    environment.globals["raise_exception"] = refuse
    compiled = environment.from_string(template)
    return lambda turns: compiled.render(messages=turns, add_generation_prompt=True, **tokens)


def turns_text(turns: Turns) -> str:
    """What the turns say, one a line."""
    return "\n".join(str(turn.get("content") or "") for turn in turns)
