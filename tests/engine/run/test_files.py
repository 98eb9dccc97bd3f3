"""Files of every kind through the real command: rows as they are meant, or an error that tells."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ...support.packed_files import PACKERS, gz, write_workbook, zipped
from ...support.plain_runs import Plain

ROW = {"instruction": "发烧怎么办？", "output": "多喝水。"}
OTHER = {"instruction": "What is fever?", "output": "A high temperature."}


@pytest.fixture
def project(tmp_path: Path) -> Plain:
    return Plain(tmp_path / "project")


def lines(*rows: Any) -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()


def put(project: Plain, **files: bytes | str) -> None:
    for name, content in files.items():
        path = project.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)


def refused(project: Plain, *, language: str = "en", **source: Any) -> str:
    """What `validate` says of a source."""
    project.recipe(sources={"s": source}, export=[{"use": "llamafactory"}])
    return project.run("recipe.yaml", command="validate", status=2, SFTRECIPE_LANG=language)


def test_every_packing_is_read_by_one_run(project: Plain) -> None:
    sources: dict[str, Any] = {}
    for packing, pack in PACKERS.items():
        put(project, **{f"a.jsonl.{packing}": pack(lines(ROW))})
        sources[packing] = {"use": "jsonl", "path": f"a.jsonl.{packing}"}
    put(project, **{"a.zip": zipped({"x/a.csv": "问题;回答\n发烧怎么办？;多喝水。\n".encode()})})
    write_workbook(project.folder / "a.xlsx", {"S": [["问题", "回答"], [*ROW.values()]]})
    meant = {"instruction": "问题", "output": "回答"}
    sources["zip"] = {"use": "csv", "path": "a.zip", "map": meant}
    sources["xlsx"] = {"use": "xlsx", "path": "a.xlsx", "map": meant}
    put(project, **{"a.json": json.dumps({"v": 1, "data": [ROW]}), "b.txt": "{}"})
    sources["json"] = {"use": "json", "path": "a.json", "key": "data"}
    project.recipe(sources=sources, export=[{"use": "jsonl", "from": list(sources)}])
    project.run()
    assert project.data() == [ROW] * len(sources)
    assert "done before" in project.run()
    put(project, **{"a.jsonl.zst": PACKERS["zst"](lines(OTHER))})
    project.run()
    assert OTHER in project.data()


def test_a_shard_that_is_packed_and_one_that_is_missing(project: Plain) -> None:
    put(
        project,
        **{
            "d/train-00000-of-00002.jsonl": lines(ROW),
            "d/train-00001-of-00002.jsonl.gz": gz(lines(OTHER)),
            "d/README.md": "# Set",
        },
    )
    for use in ("huggingface", "jsonl"):
        project.recipe(sources={"s": {"use": use, "path": "d"}})
        told = project.run("recipe.yaml", command="validate")
        assert "1 passed over, not read: d/README.md" in told
        assert "1 passed over, not read: d/README.md" in project.run()
        assert project.data() == [ROW, OTHER]
    step = json.loads((project.out / "run.json").read_text())["steps"][0]
    assert step["notes"]["told"] == {"passed_over": {"count": 1, "examples": ["d/README.md"]}}
    assert "1 passed over, not read: d/README.md" in (project.out / "report.html").read_text()
    (project.folder / "d/train-00001-of-00002.jsonl.gz").unlink()
    for use in ("huggingface", "jsonl"):
        told = refused(project, use=use, path="d")
        assert "missing: 'train-00001-of-00002.jsonl'" in told
    zh = refused(project, language="zh", use="jsonl", path="d")
    assert "缺少：'train-00001-of-00002.jsonl'" in zh


WRONG: list[tuple[str, str, bytes | str, str, str]] = [
        ("jsonl", "a.jsonl", json.dumps([ROW], indent=1), "write `use: json`", "请写 `use: json`"),
        ("jsonl", "a.jsonl", json.dumps({"data": [ROW] * 2}), "key: data`", "key: data`"),
        ("json", "a.json", json.dumps({"a": ROW, "b": ROW}).replace("instruction", "q"),
         "layout: values`", "layout: values`"),
        ("json", "a.json", json.dumps({"v1.0": [ROW], "x: y": [ROW, ROW]}),
         'several keys, x: y, v1.0: write `use: json, key: "x: y"`', 'key: "x: y"'),
        ("json", "a.json", json.dumps([["a?", "b"]]), "has a list where a row stands", "列表"),
        ("jsonl", "a.jsonl", '["a?", "b"]\n["c?", "d"]\n', "has a list where a row", "列表"),
        ("parquet", "a.parquet", lines(ROW), "write `use: jsonl`", "`use: jsonl`"),
        ("text", "a.html", "<html>x</html>", "is HTML, which `text` does not read", "HTML"),
        ("markdown", "a.pdf", b"%PDF-1.7", "is a PDF, which `markdown`", "PDF"),
        ("text", "a.docx", b"PK\3\4", "is damaged", "已损坏"),
        ("text", "a.txt", bytes(range(256)) * 4, "binary data", "二进制"),
        ("csv", "a.csv", "问题;回答\n热？;水\n", "write map: {instruction: 问题, output: 回答}",
         "请写 map: {instruction: 问题, output: 回答}"),
        ("jsonl", "a.jsonl", lines({"prompt": "a?", "response": "b"}),
         "write map: {instruction: prompt, output: response}", "请写 map"),
        ("jsonl", "a.jsonl", lines({"用户问题": "a?", "Output": "b"}),
         "write map: {instruction: 用户问题, output: Output}", "请写 map"),
        ("jsonl", "a.jsonl", lines({"正文": "a", "x": "b"}),
         "write map: {text: 正文}, and with: {formatting: text}", "并在导出 'llamafactory' 处写"),
        ("jsonl", "a.jsonl", lines({"text": "a"}),
         "write with: {formatting: text} at the export", "请在导出 'llamafactory' 处写 with"),
        ("jsonl", "a.jsonl", lines({"question": "a?", "chosen": "b", "rejected": "c"}),
         "write map: {instruction: question}", "请写 map: {instruction: question}"),
        ("jsonl", "a.jsonl", lines({"Question": "a?", "Complex_CoT": "hm", "Response": "b"}),
         "write map: {instruction: Question, output: Response, reasoning: Complex_CoT}",
         "请写 map"),
        ("jsonl", "a.jsonl", lines({"input": "a?", "reasoning_content": "hm", "content": "b"}),
         "write map: {instruction: input, output: content}", "请写 map"),
        ("jsonl", "a.jsonl", lines({"dialog": [{"role": "user", "content": "a?"}], "n": 1}),
         "write map: {messages: dialog}", "请写 map: {messages: dialog}"),
        ("jsonl", "a.jsonl", lines({"chat": "USER: a? ASSISTANT: b"}), "its columns: chat", "chat"),
        ("jsonl", "a.jsonl", "question,answer\na?,b\n", "has no JSON in its first lines", "JSON"),
        ("csv", "a.csv", lines(ROW),
         "is a JSON file, which `csv` does not read: write `use: jsonl`", "`use: jsonl`"),
        ("jsonl", "a.jsonl.gz", gz(lines(ROW, OTHER))[:-20], "ends early", "提前结束"),
]  # fmt: skip


COLUMNS = [
    f"s{at}"
    for at, row in enumerate(WRONG)
    if "write map" in row[3] or "write with" in row[3] or "its columns" in row[3]
]
"""Told where nothing else is wrong."""


def test_validate_says_what_to_write(project: Plain) -> None:
    sources = {}
    for at, (use, name, content, _, _) in enumerate(WRONG):
        put(project, **{f"{at}/{name}": content})
        sources[f"s{at}"] = {"use": use, "path": f"{at}/{name}"}
    for files in (sources, {name: sources[name] for name in COLUMNS}):
        project.recipe(sources=files, export=[{"use": "llamafactory", "from": [*files]}])
        for language, column in (("en", 3), ("zh", 4)):
            said = project.run("recipe.yaml", command="validate", status=2, SFTRECIPE_LANG=language)
            for at, row in enumerate(WRONG):
                if f"s{at}" in files and (f"s{at}" in COLUMNS) == (len(files) == len(COLUMNS)):
                    assert row[column] in said, row


MAKES = """
from sftrecipe import RowFilter, Verdict

class Rename(RowFilter):
    \"\"\"Names columns.\"\"\"
    example = "{use: rename}"

    def judge_row(self, row, ctx):
        columns = row.columns
        return Verdict(True, changes={"instruction": columns["q"], "output": columns["a"]})
"""


def test_columns_that_come_later_are_not_refused(project: Plain) -> None:
    """Rows far down the file have them; a filter of the project makes them."""
    info = "third/names-1.0.dist-info"
    put(project, **{
        "rows.jsonl": lines(*({"x": at} for at in range(30)), ROW),
        "q.jsonl": lines({"q": "a?", "a": "b"}),
        "third/names.py": MAKES,
        f"{info}/METADATA": "Metadata-Version: 2.1\nName: names\nVersion: 1.0\n",
        f"{info}/entry_points.txt": "[sftrecipe.filters]\nrename = names:Rename\n",
    })  # fmt: skip
    sources = {name: {"use": "jsonl", "path": f"{name}.jsonl"} for name in ("rows", "q")}
    filters = [{"use": "rename", "on": "q"}]
    project.recipe(
        sources=sources, filter=filters, export=[{"use": "llamafactory", "from": [*sources]}]
    )
    project.run("recipe.yaml", command="validate", PYTHONPATH=str(project.folder / "third"))


def test_packed_in_every_place(project: Plain) -> None:
    """Benchmarks, workbooks, keys with dots, archives with odd members; what is open is told."""
    asked = ROW | {"instruction": "发烧到三十九度并且已经持续了两天的时候应该怎么办才好呢？"}
    put(project, **{
        "b.zip": zipped({"x/bench.jsonl": lines({"q": asked["instruction"]})}),
        "k.json": json.dumps({"v1.0": [asked, OTHER]}),
        "d/z.zip": zipped({"../up.jsonl": lines(ROW), ".h/hidden.jsonl": lines(ROW)}),
        "w/~$a.xlsx": b"open",
    })  # fmt: skip
    write_workbook(project.folder / "a.xlsx", {"S": [[*ROW], [*ROW.values()]]})
    put(project, **{"w/a.xlsx.gz": gz((project.folder / "a.xlsx").read_bytes())})
    project.recipe(
        sources={
            "keyed": {"use": "json", "path": "k.json", "key": "v1.0"},
            "archive": {"use": "jsonl", "path": "d"},
            "book": {"use": "xlsx", "path": "w"},
        },
        filter=[{"use": "decontaminate", "on": "keyed", "with": {"benchmarks": ["b.zip"]}}],
        export=[{"use": "jsonl", "from": ["keyed", "archive", "book"]}],
    )
    told = project.run()
    assert project.data() == [OTHER, ROW, ROW]
    assert "1 passed over, not read: d/z.zip/.h/hidden.jsonl" in told
    assert "1 passed over, not read: w/~$a.xlsx" in project.run("recipe.yaml", command="validate")
    put(project, **{"e/a.jsonl": lines(ROW), "e/a.zip": zipped({"a.jsonl": lines(ROW)})})
    assert "lies there twice, packed" in refused(project, use="jsonl", path="e")


def test_a_bomb_is_stopped(project: Plain) -> None:
    put(project, **{"a.jsonl.gz": gz(lines(ROW | {"x": "y" * 100_000}) * 900)})
    project.recipe(sources={"s": {"use": "jsonl", "path": "a.jsonl.gz"}})
    told = project.run(status=1, before="ulimit -v 3000000")
    assert "a file may hold 200 times its size" in told


def test_odd_numbers_are_kept_and_told(project: Plain) -> None:
    put(project, **{"rows.jsonl": lines(
        ROW | {"id": 12345678901234567890123, "score": float("nan"), "n": 2**64 - 1},
        OTHER | {"id": "x", "score": 0.5, "n": -1},
    )})  # fmt: skip
    exports = [{"use": "jsonl"}, {"use": "parquet", "with": {"name": "p"}}]
    project.recipe(export=exports)
    told = project.run()
    assert "1 × NaN or infinity read as null: rows.jsonl:1 score: NaN" in told
    assert "kept as text: rows.jsonl:1 id: 12345678901234567890123" in told
    assert project.data() == [
        ROW | {"id": "12345678901234567890123", "score": None, "n": 2**64 - 1},
        OTHER | {"id": "x", "score": 0.5, "n": -1},
    ]


def test_a_kept_row_is_not_said_to_be_lost(project: Plain) -> None:
    put(project, **{"rows.jsonl": lines(ROW, ROW, OTHER, ROW)})
    project.recipe(filter=[{"id": "dedup", "use": "exact_dedup", "on": "rows"}])
    project.run()
    [name] = {
        json.loads(line)["row"]["id"]
        for line in (project.out / "rejects.jsonl").read_text().splitlines()
    }
    process = project.start("explain", name)
    told = process.communicate(timeout=60)[0]
    assert "lost at dedup: duplicate" not in told
    assert "rows equal to it that were lost at dedup: 2" in told
    assert "rows.jsonl:1" in told


def test_text_about_mojibake_and_a_damaged_file(project: Plain) -> None:
    about = {"instruction": "Why 'cafÃ©' instead of 'café'?", "output": "Ã© is é in Latin-1."}
    damaged = [{"instruction": f"{n}?", "output": "å¤šä¼‘æ\u0081¯ï¼Œå–\u009dæ°´"} for n in range(9)]
    put(project, **{"about.jsonl": lines(about), "damaged.jsonl": lines(*damaged)})
    sources = {name: {"use": "jsonl", "path": f"{name}.jsonl"} for name in ("about", "damaged")}
    project.recipe(sources=sources, export=[{"use": "jsonl", "from": [*sources]}])
    told = project.run()
    assert project.data()[0] == about
    assert {row["output"] for row in project.data()[1:]} == {"多休息，喝水"}
    assert "9 damaged by a wrong encoding and repaired" in told
    assert "→ '多休息，喝水'" in told
