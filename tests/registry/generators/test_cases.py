"""The cases in tests/cases/generator: rows, options, a scripted model, and what comes of them.

`replies`: the first whose `to` stands in the request answers it (a list: by the sample's number);
`refused: true` is the provider's refusal. `asked`: texts that must stand in the requests, in order.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import CallFailed, Context, Generator, Record
from sftrecipe.plugin import Answer, OptionFiles, Request
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.testing import FakeModel, RowList, own_files

FOLDER = Path(__file__).parents[2] / "cases" / "generator"
CASES = [
    pytest.param(path.stem, case, id=f"{path.stem}: {case['case']}")
    for path in sorted(FOLDER.glob("*.yaml"))
    for case in yaml.safe_load(path.read_text("utf-8"))
]


def asked_text(request: Request) -> str:
    """All that a request says."""
    turns = [f"{turn['role']}: {turn['content']}" for turn in request.messages]
    return "\n".join([*turns, request.prompt, request.answer])


def scripted(case: dict[str, Any], request: Request) -> str | Answer:
    text = asked_text(request)
    for reply in case.get("replies", []):
        if reply.get("to", "") not in text:
            continue
        if reply.get("refused"):
            raise CallFailed("refused", "unsafe")
        said = reply["reply"]
        said = said[request.sample % len(said)] if isinstance(said, list) else said
        return Answer(said, reply.get("finish_reason", "stop"))
    raise AssertionError(f"no reply to: {text}")


def files_of(plugin: Generator, case: dict[str, Any], folder: Path) -> OptionFiles:
    paths = dict(own_files(plugin, case.get("language", "en")).paths)
    for name, text in case.get("files", {}).items():
        (folder / name).write_text(text, "utf-8")
        paths[name] = str(folder / name)
    return OptionFiles(paths)


@pytest.mark.parametrize(("name", "case"), CASES)
@pytest.mark.parametrize("concurrency", [1, 64])
async def test_case(name: str, case: dict[str, Any], concurrency: int, tmp_path: Path) -> None:
    plugin = plugin_class("generator", name).model_validate(case.get("with", {}))
    assert isinstance(plugin, Generator)
    files = files_of(plugin, case, tmp_path)
    problems = [problem.message for problem in plugin.problems(None, files)]
    assert problems == case.get("problems", [])
    if problems:
        return
    model = FakeModel(lambda request: scripted(case, request), seed=concurrency)
    rows = RowList.of(*case["rows"])
    for at, scores in enumerate(case.get("scores", [])):
        rows[at] = rows[at]._replace(scores=scores)
    names = {"", *case.get("providers", [])}
    context = Context(
        "step",
        language=case.get("language", "en"),
        files=files,
        folder=tmp_path,
        models=dict.fromkeys(names, model),
        streams={stream: RowList.of(*each) for stream, each in case.get("streams", {}).items()},
        concurrency=concurrency,
    )
    made = [item async for item in plugin.generate(rows, context)]
    columns = [dict(item.columns) for item in made if isinstance(item, Record)]
    assert columns == case.get("made", [])
    rejects = [item for item in made if not isinstance(item, Record)]
    wanted = case.get("rejects", [])
    assert [item.reason for item in rejects] == [each["reason"] for each in wanted]
    for item, each in zip(rejects, wanted, strict=True):
        assert "value" not in each or item.value == each["value"]
    texts = [asked_text(request) for request in model.requests]
    for part in case.get("asked", []):
        assert any(part in text for text in texts), texts
    if "calls" in case:
        assert len(texts) == case["calls"]
    if "counts" in case:
        assert context.counts == case["counts"]
