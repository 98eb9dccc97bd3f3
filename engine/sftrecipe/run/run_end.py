"""How a run ended, and whether the same command goes on from there or would fail again."""

from __future__ import annotations

from typing import Any

from sftrecipe.calls.redaction import scrub_message, scrub_output
from sftrecipe.errors import SftrecipeError

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


def end_facts(error: BaseException) -> dict[str, Any]:
    """The end as `run.json` tells it: whether the run goes on, and what to do in both languages."""
    facts: dict[str, Any] = {"error": scrub_message(str(error)), "goes_on": goes_on(error)}
    if isinstance(error, SftrecipeError):
        problem = error.problem
        facts["slug"] = problem.slug
        facts["told"] = {
            language: {
                "error": scrub_output(problem.message(language)),
                "hint": problem.advice(language),
            }
            for language in ("en", "zh")
        }
    return facts
