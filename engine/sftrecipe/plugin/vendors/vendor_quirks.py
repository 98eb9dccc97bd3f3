"""What a vendor's server takes otherwise than OpenAI's, model by model."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from typing import Any, Literal

from sftrecipe.plugin.vendors.vendor_facts import Vendor, own_name, vendor_named, vendor_of

Switch = Literal[
    "enable_thinking", "thinking_type", "chat_template_kwargs", "reasoning_effort", "none"
]
"""How a server is told to think: `enable_thinking: true`, `thinking: {type: enabled}`,
`chat_template_kwargs: {enable_thinking: true}`, `reasoning_effort`; none: it cannot be told."""

_SETS = ("omit", "omit_when_thinking")


@dataclass(frozen=True)
class Quirks:
    """How a model's requests differ from OpenAI's."""

    omit: frozenset[str] = frozenset()
    """Parameters that it refuses: they are not sent."""
    omit_when_thinking: frozenset[str] = frozenset()
    """Parameters that it refuses, or passes over, while it thinks."""
    rename: Mapping[str, str] = field(default_factory=dict)
    """Parameters that have another name there."""
    thinking: Switch = "none"
    switch: str = "enable_thinking"
    """The key within `chat_template_kwargs`."""
    budget: str = ""
    """The parameter for the most tokens of a thought; empty: it has none."""
    thinks_by_default: bool = False
    always_thinks: bool = False
    """Whether it cannot be told not to think."""
    streams_only: bool = False
    """Whether it answers requests with `stream: true` alone."""
    fixed: Mapping[str, Any] = field(default_factory=dict)
    """Parameters that are sent unless the recipe says otherwise."""


def quirks_of(vendor: str | None, base_url: str, model: str) -> Quirks:
    """Those of a model: by the vendor that the recipe names, else by the address's host."""
    found = vendor_named(vendor) if vendor else vendor_of(base_url, model)
    return Quirks() if found is None else vendor_quirks(found, model)


def vendor_quirks(vendor: Vendor, model: str) -> Quirks:
    """Those of a vendor's model."""
    name, told = own_name(vendor, model).lower(), [vendor.quirks]
    told += [rule for rule in vendor.rules if _is_for(rule, name)]
    quirks = Quirks()
    for each in told:
        quirks = replace(quirks, **_read(each))
    return quirks


def _is_for(rule: Mapping[str, Any], model: str) -> bool:
    return any(fnmatchcase(model, pattern) for pattern in rule["models"])


def _read(told: Mapping[str, Any]) -> dict[str, Any]:
    return {
        name: frozenset(value) if name in _SETS else value
        for name, value in told.items()
        if name != "models"
    }
