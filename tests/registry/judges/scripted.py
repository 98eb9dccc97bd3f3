"""Judges on rows in memory, with models that say what a case says.

`replies`: by provider (`judge` is the block's own) the first whose `to` stands in the request: a
`reply` (a list: by the sample's number), `logprobs` of a given answer, or `fails: refused`.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from sftrecipe import CallFailed, Context, Judge
from sftrecipe.plugin import Answer, OptionFiles, Request
from sftrecipe.testing import FakeModel, own_files


def asked_text(request: Request) -> str:
    """All that a request says."""
    turns = [f"{turn['role']}: {turn['content']}" for turn in request.messages]
    return "\n".join([*turns, request.prompt, request.answer])


def scripted(replies: list[dict[str, Any]], request: Request) -> str | Answer:
    """The reply of the first script that fits."""
    text = asked_text(request)
    for each in replies:
        if each.get("to", "") not in text:
            continue
        if "fails" in each:
            raise CallFailed(each["fails"], "no", key="failed")
        if "logprobs" in each:
            return Answer("", logprobs=tuple(each["logprobs"]))
        said = each["reply"]
        said = said[request.sample % len(said)] if isinstance(said, list) else said
        return Answer(said, each.get("finish_reason", "stop"))
    raise AssertionError(f"no reply to: {text}")


def models_of(case: dict[str, Any], seed: int = 0) -> dict[str, FakeModel]:
    """The case's models."""

    def model(replies: list[dict[str, Any]]) -> FakeModel:
        return FakeModel(lambda request: scripted(replies, request), seed=seed)

    named = {name: model(replies) for name, replies in case.get("replies", {}).items()}
    return {"" if name == "judge" else name: each for name, each in named.items()}


def context_of(
    plugin: Judge, models: dict[str, FakeModel], *, language: str = "en", concurrency: int = 16
) -> Context:
    """What a judge is given."""
    files = OptionFiles(dict(own_files(plugin, language).paths))
    return Context(
        "judged",
        language=language,
        folder=Path(),
        files=files,
        models=models,
        concurrency=concurrency,
    )
