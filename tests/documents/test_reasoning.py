"""recipes/reasoning.yaml against a model that thinks: what the judge sees, and what is exported."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest
from tests.support.odd_server import Sent, odd_server, told

ROOT = Path(__file__).parents[2]
CHILD = """\
version: 1
extends: reasoning.yaml
name: small
profiles:
  {profile}:
    providers:
      teacher: {{base_url: "{url}"}}
      judge: {{base_url: "{url}"}}
    generate: [{{id: ask, with: {{rounds: 3}}}}]
"""
WORDS = {
    "vllm": "tablet morning bus coffee sleep pharmacy knee stairs walk packs three hours which",
    "vllm-zh": "药 片 早上 公交 咖啡 睡觉 药店 膝盖 楼梯 散步 几盒 三小时 哪一个 先后 体温",
}
THOUGHT = {
    "vllm": "First count the hours between the two, then compare them with the label; so it is.",
    "vllm-zh": "先算两次之间隔了几个小时，再和说明书上的要求比一比，还要想到晚上能不能睡好，"
    "然后才能下结论，所以就是这样。",
}
ANSWER = {
    "vllm": "Take it in the evening, with food.",
    "vllm-zh": "晚上随餐服用，第二天再看情况。",
}


@pytest.mark.parametrize("profile", ["vllm", "vllm-zh"])
def test_the_judge_sees_answers_and_rows_keep_thoughts(tmp_path: Path, profile: str) -> None:
    shutil.copytree(ROOT / "recipes", tmp_path / "recipes")
    words, joint = WORDS[profile].split(), "" if profile.endswith("zh") else " "
    judged: list[str] = []

    def answers(said: str, before: int) -> Sent:
        drawn = Random(f"{said} {before}")
        if "Score:" in said:
            judged.append(said)
            return told(f"<think>\n{THOUGHT[profile]}\n</think>\n\nScore: 5")
        if '"instruction"' not in said:
            return told(f"<think>\n{THOUGHT[profile]}\n</think>\n\n{ANSWER[profile]}")
        asked = [joint.join(drawn.choices(words, k=14)).capitalize() + "?" for _ in range(3)]
        return told(f"Some thought [1].\n</think>{json.dumps([{'instruction': a} for a in asked])}")

    with odd_server(answers) as server:
        child = CHILD.format(profile=profile, url=server.url)
        (tmp_path / "recipes" / "small.yaml").write_text(child)
        command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipes/small.yaml"]
        done = subprocess.run(
            [*command, "--profile", profile, "--to", "data"], cwd=tmp_path, check=False,
            capture_output=True, text=True, env={**os.environ, "SFTRECIPE_PROJECT": str(tmp_path)},
        )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert len(judged) > 20
    assert not [said for said in judged if THOUGHT[profile] in said or "<think>" in said]
    assert all(ANSWER[profile] in said for said in judged)
    out = tmp_path / "runs" / "small"
    rows = json.loads((out / "small.json").read_text())
    thought = f"<think>\n{THOUGHT[profile]}\n</think>\n\n"
    thinking = [row for row in rows if row["output"] == thought + ANSWER[profile]]
    plain = [row for row in rows if row["output"] == ANSWER[profile]]
    assert len(thinking) + len(plain) == len(rows) > 10
    assert 0 < len(plain) < len(thinking)
    assert "enable_thinking: null" in (out / "train-sft.yaml").read_text()
