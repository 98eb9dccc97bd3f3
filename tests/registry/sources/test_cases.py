"""The cases in tests/cases/source: files, options, and the rows and rejects that come of them."""

from __future__ import annotations

from collections.abc import Mapping
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from sftrecipe import PluginRefused, Record, Reject
from sftrecipe.plugin.drawing import SET_ASIDE
from sftrecipe.run.steps.source_step import read_source

from ...support.packed_files import write_workbook
from ...support.source_rows import context, source

FOLDER = Path(__file__).parents[2] / "cases" / "source"
PLUGINS = sorted(
    entry.name
    for entry in entry_points(group="sftrecipe.sources")
    if entry.value.startswith("sftrecipe_registry.")
)
CASES = [
    pytest.param(name, case, id=f"{name}: {case['case']}")
    for name in PLUGINS
    for case in yaml.safe_load((FOLDER / f"{name}.yaml").read_text("utf-8"))
]


@pytest.mark.parametrize(("name", "case"), CASES)
def test_case(name: str, case: dict[str, Any], tmp_path: Path) -> None:
    write_files(case, tmp_path)
    plugin = source(name, **case["with"])
    ctx = context(plugin, tmp_path)
    problems = [problem.message for problem in plugin.problems(None, ctx.files)]
    assert problems == case.get("problems", [])
    if "refused" in case:
        with pytest.raises(PluginRefused) as refusal:
            list(read_source(plugin, ctx))
        assert case["refused"] in str(refusal.value)
        return
    if problems:
        return
    items = list(read_source(plugin, ctx))
    rows = [item for item in items if isinstance(item, Record)]
    assert [row.columns for row in rows] == case["rows"]
    assert [told(item) for item in items if isinstance(item, Reject)] == case.get("rejects", [])
    if "origins" in case:
        assert [row.origin for row in rows] == case["origins"]
    if "set_aside" in case:
        assert ctx.counts[SET_ASIDE] == case["set_aside"]
    if "peek" in case:
        peeked = plugin.peek(ctx)
        assert (None if peeked is None else sorted(peeked)) == case["peek"]


def told(reject: Reject) -> list[str]:
    """Where, why, and the detail if there is one."""
    parts = [reject.record.origin, reject.reason, reject.value]
    return [str(part) for part in parts if part is not None]


def write_files(case: Mapping[str, Any], folder: Path) -> None:
    """The case's files: texts, texts in an encoding, bytes, links, tables, workbooks."""
    for name, content in case.get("files", {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, str):
            path.write_bytes(content.encode())
        elif "link" in content:
            path.symlink_to(content["link"])
        elif "hex" in content:
            path.write_bytes(bytes.fromhex(content["hex"]))
        elif "text" in content:
            path.write_bytes(content["text"].encode(content["encoding"]))
        elif "sheets" in content:
            write_workbook(path, content["sheets"])
        else:
            write_table(path, content["rows"])


def write_table(path: Path, rows: list[dict[str, Any]]) -> None:
    """Parquet, an Arrow file, or a folder of `save_to_disk`."""
    if path.suffix == ".parquet":
        pq.write_table(pa.Table.from_pylist(rows), path)
    elif path.suffix == ".arrow":
        table = pa.Table.from_pylist(rows)
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    else:
        datasets = pytest.importorskip("datasets")
        made = datasets.Dataset.from_list(rows)
        if path.name == "plain":
            made.save_to_disk(path)
        else:
            datasets.DatasetDict({"train": made, "test": made.select([0])}).save_to_disk(path)
