"""How a run ended, and whether the same command goes on from there or would fail again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from sftrecipe.calls.redaction import scrub_message, scrub_output
from sftrecipe.errors import SftrecipeError
from sftrecipe.store.json_fields import field_of

GOES_ON = frozenset({
    "batch-cancelled",
    "file-changed",
    "file-changing",
    "ledger-in-use",
    "provider-failing",
    "server-died",
    "server-slow",
    "session-closed",
    "step-files-touched",
})  # fmt: skip
"""Errors that pass by themselves: what failed may work when it is asked again. After all others
something is to be changed first: a key, a file, an option, the machine."""


def goes_on(error: BaseException) -> bool:
    """Whether the same command, unchanged, may get further than it did."""
    if isinstance(error, SftrecipeError):
        return error.problem.slug in GOES_ON
    return not isinstance(error, Exception)  # Ctrl-C, SIGTERM


@dataclass(frozen=True)
class RunEnd:
    """How a run ended that did not end well, as `run.json` tells it."""

    error: str
    goes_on: bool
    """Whether the same command, unchanged, goes on where the run ended."""
    slug: str = ""
    """The error's; empty where it is none of ours."""
    told: Mapping[str, Mapping[str, str | None]] = field(default_factory=dict)
    """The error and what to do about it, by language."""

    @classmethod
    def from_json(cls, run: Mapping[str, Any]) -> Self | None:
        """What a run says of its end; None where it ended well."""
        if "error" not in run:
            return None
        return cls(
            error=field_of(run, "error", ""),
            goes_on=field_of(run, "goes_on", False),
            slug=field_of(run, "slug", ""),
            told=field_of(run, "told", dict[str, Mapping[str, str | None]]()),
        )

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        facts: dict[str, Any] = {"error": self.error, "goes_on": self.goes_on}
        return facts | ({"slug": self.slug, "told": self.told} if self.slug else {})


def run_end(error: BaseException) -> RunEnd:
    """The end that an error is: whether the run goes on, and what to do in both languages."""
    message = scrub_message(str(error))
    if not isinstance(error, SftrecipeError):
        return RunEnd(message, goes_on(error))
    problem = error.problem
    told = {
        language: {
            "error": scrub_output(problem.message(language)),
            "hint": problem.advice(language),
        }
        for language in ("en", "zh")
    }
    return RunEnd(message, goes_on(error), problem.slug, told)
