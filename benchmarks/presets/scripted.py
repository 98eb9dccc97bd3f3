"""Presets at real scale against a server with scripted good replies: do prompts, parsing, filters and export hold?

python benchmarks/presets/scripted.py [NAME …] prints what each preset's profile `vllm` exports.
"""

# ruff: noqa: E501
from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from random import Random

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT))

from tests.support.odd_server import Sent, odd_server, told  # noqa: E402

CHILD = """\
version: 1
extends: {preset}
name: scripted
profiles:
  vllm: {{providers: {{teacher: {{base_url: "{url}"}}}}, train: null}}
"""
RESULTS = {
    "apples and buys": 8,
    "birds": 8,
    "stickers": 15,
    "seats": 14,
    "eggs": 24,
    "trays": 22,
    "pages": 45,
}
ENGLISH = [
    "garden",
    "kettle",
    "window",
    "letter",
    "morning",
    "paper",
    "bicycle",
    "harbour",
    "winter",
    "candle",
    "bread",
    "forest",
    "ticket",
    "lamp",
]
CHINESE = [
    "请问",
    "我想",
    "这个",
    "怎么办",
    "多久",
    "可以",
    "如果",
    "买的",
    "东西",
    "已经",
    "两天",
    "时候",
    "需要",
    "什么",
    "手续",
]

LETTERS = [
    a + b + c for a in "bdgklmprst" for b in ("a", "en", "o", "ir") for c in ("l", "t", "sk", "n")
]
"""Made-up words, so that tasks differ."""


def reply(said: str, before: int) -> Sent:
    """A good reply to a preset's prompt, by what the prompt says."""
    drawn = Random(f"{said} {before}")
    if "Score:" in said:
        return told("Each statement is supported.\nScore: 5")
    if "JSON list of exactly" in said:
        tasks = [" ".join(drawn.choices(LETTERS, k=8)).capitalize() for _ in range(4)]
        return told(
            json.dumps(
                [{"instruction": f"Write a program: {task}.", "input": ""} for task in tasks]
            )
        )
    if "Answer: RESULT" in said:
        right = next((value for word, value in RESULTS.items() if word in said), 30)
        value = right if before != 1 else right + 1  # every second solution of a problem is wrong
        words = " ".join(drawn.sample(ENGLISH, 6))
        return told(
            f"<think>\nLet me count this carefully, {words}.\n</think>\n\nSo it is, {words}.\nAnswer: {value}"
        )
    if (
        "below into Chinese" in said
        or "below into Simplified" in said
        or "below into simplified" in said
    ):
        return told(
            "这是译成中文的一句话，意思和原文完全一样，读起来也很自然。"
            + "".join(drawn.sample(CHINESE, 4))
        )
    if "Translate the text below into English" in said:
        return told(
            "This sentence says in English what the original said: "
            + " ".join(drawn.sample(ENGLISH, 6))
            + "."
        )
    if "Write a program:" in said:
        return told(
            f"```python\ndef {drawn.choice(ENGLISH)}(items: list[str]) -> list[str]:\n    return sorted(items)\n```\nNothing gives nothing."
        )
    chinese = any("\u4e00" <= letter <= "\u9fff" for letter in said[-300:])
    words = "".join(drawn.sample(CHINESE, 7)) if chinese else " ".join(drawn.sample(ENGLISH, 9))
    if any(
        mark in said
        for mark in (
            "Write the message alone",
            "Write the question alone",
            "只写提问本身",
            "只写问题本身",
        )
    ):
        return told(f"{words}？" if chinese else f"Can you tell me about the {words}?")
    if chinese:
        return told(f"可以的，按照说明办理就行。{words}，请放心。")
    return told(
        f"<think>\nThe question is about {words}, so I look at it first.\n</think>\n\nYes, that is so: the {words} come first."
    )


def run(name: str) -> None:
    """Run one preset and print what it exported and rejected."""
    with odd_server(reply) as server, tempfile.TemporaryDirectory() as folder:
        project = Path(folder)
        shelf = project / "recipes"
        subprocess.run(["cp", "-r", str(ROOT / "recipes"), str(project)], check=True)
        (shelf / "scripted.yaml").write_text(CHILD.format(preset=name, url=server.url))
        command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipes/scripted.yaml"]
        done = subprocess.run(
            [*command, "--profile", "vllm", "--to", "data"], cwd=project, check=False,
            capture_output=True, text=True, env={**os.environ, "SFTRECIPE_PROJECT": str(project)},
        )  # fmt: skip
        print(f"## {name}: status {done.returncode}, {sum(server.asked.values())} calls")
        out = project / "runs" / "scripted"
        if done.returncode:
            print(done.stderr[-1500:])
            return
        rows = json.loads((out / "scripted.json").read_text("utf-8"))
        reasons = [
            json.loads(line) for line in (out / "rejects.jsonl").read_text("utf-8").splitlines()
        ]
        print(
            f"{len(rows)} rows, {len(reasons)} rejected: {sorted({(r['step'], r['reason']) for r in reasons})}"
        )
        for row in rows[:2]:
            print(json.dumps(row, ensure_ascii=False)[:500])


if __name__ == "__main__":
    for each in sys.argv[1:] or [
        "support",
        "documents",
        "zh-medical",
        "zh-law",
        "zh-support",
        "zh-documents",
        "math",
        "thinking",
        "code",
        "dialogue",
        "preference",
        "translate",
        "clean",
    ]:
        run(each)
