"""What to write where LLaMA-Factory's own code refuses a training in its words."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sftrecipe.plugin import Text, Texts
from sftrecipe_registry.llamafactory.arguments.argument import COMPUTED, Argument, ArgumentTable
from sftrecipe_registry.llamafactory.preflight.arguments import Settings

texts = Texts(__package__)

_SPOKEN: Mapping[str, str] = {
    **{"GaLore": "use_galore", "APOLLO": "use_apollo", "BAdam": "use_badam", "DoRA": "use_dora"},
    **{"DeepSpeed": "deepspeed", "PiSSA": "pissa_init", "Unsloth": "use_unsloth", "FP8": "fp8"},
    **{
        "S^2-Attn": "shift_attn",
        "KTransformers": "use_kt",
        "device map": "quantization_device_map",
    },
    **{"SGLang": "infer_backend", "logger": "report_to", "val size": "val_size"},
    **{"create new adapter": "create_new_adapter", "resize embedding": "resize_vocab"},
    **{"single adapter": "adapter_name_or_path", "interleave probs": "interleave_probs"},
    **{"Quantiz": "quantization_bit", "quantized": "quantization_bit"},
}
"""Arguments that LLaMA-Factory 0.9.5 speaks of by another name than their own."""
_SHOWN = 3


def refusal_advice(
    settings: Settings, words: str, table: ArgumentTable, known: Settings | None = None
) -> Text:
    """Of what `words` name: the defaults of what is set, or else what is asked for.

    `known`: values of arguments that may be asked for.
    """
    named = list(dict.fromkeys(_named(words, table)))
    given = [each for each in named if _is_set(settings, each)]
    if given:
        return _write([(each.name, _default(each)) for each in given[:_SHOWN]])
    values = {each.name: _asked(each, known or {}) for each in named}
    if asked := [(name, value) for name, value in values.items() if value is not None]:
        return _write(asked[:_SHOWN])
    if named:
        return texts("set-asked", name=named[0].name)
    return texts("change-or-leave-out")


def _write(lines: Sequence[tuple[str, Any]]) -> Text:
    if len(lines) == 1:
        name, value = lines[0]
        return texts("write-this", name=name, value=_yaml(value))
    told = tuple(f"{name}: {_yaml(value)}" for name, value in lines)
    return texts("write-one", settings=told)


def _named(words: str, table: ArgumentTable) -> Iterator[Argument]:
    """The arguments that it speaks of, by their own names first."""
    for name in re.findall(r"\w+", words):
        marked = "_" in name or f"`{name}`" in words or f"--{name}" in words
        if marked and name in table.arguments:
            yield table.arguments[name]
    for spoken, name in _SPOKEN.items():
        if spoken in words and name in table.arguments:
            yield table.arguments[name]


def _is_set(settings: Settings, argument: Argument) -> bool:
    value = settings.get(argument.name)
    return value not in (None, False, "") and value != argument.default


def _default(argument: Argument) -> Any:
    return None if argument.default == COMPUTED else argument.default


def _asked(argument: Argument, known: Settings) -> Any:
    """A value for what is asked for; None: only the user knows one."""
    if argument.name in known:
        return known[argument.name]
    if argument.types == ("bool",):
        return True
    return argument.choices[0] if argument.choices else None


def _yaml(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)
