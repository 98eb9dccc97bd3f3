"""Write chats as LLaMA-Factory's templates do: `python llamafactory_templates.py CASES`.

Run by the training environment's python, never imported by a test. CASES is a JSON list of
[template, chat turns]; one line with the list of texts is printed. `{bos_token}` and `{eos_token}`
stand for the tokenizer's own.
"""

from __future__ import annotations

import contextlib
import json
import sys
from typing import Any

with contextlib.redirect_stdout(sys.stderr):
    from llamafactory.data.template import TEMPLATES, ReasoningTemplate


def written(name: str, turns: list[dict[str, str]]) -> str:
    """The chat up to where the answer begins."""
    template = TEMPLATES[name]
    given = turns[0]["content"] if turns[0]["role"] == "system" else ""
    parts: list[Any] = list(template.format_prefix.apply())
    if system := given or template.default_system:
        parts += template.format_system.apply(content=system)
    for turn in turns:
        if turn["role"] == "user":
            parts += template.format_user.apply(content=turn["content"], idx="0")
            if isinstance(template, ReasoningTemplate):  # with `enable_thinking: null`
                parts.append(template.add_thought())
        elif turn["role"] == "assistant":
            parts += template.format_assistant.apply(content=turn["content"])
    return "".join(part if isinstance(part, str) else f"{{{min(part)}}}" for part in parts)


if __name__ == "__main__":
    print(json.dumps([written(name, turns) for name, turns in json.loads(sys.argv[1])]))
