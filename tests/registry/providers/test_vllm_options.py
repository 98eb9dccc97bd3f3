"""`use: vllm` with `serve`: what `validate` finds, and what names a model in the ledger."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.plugin import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.plugin.provider import Provider
from sftrecipe.recipe.load import check_recipe
from sftrecipe_registry.providers.vllm.arguments import argument_list


def vllm(**options: Any) -> Provider:
    found = plugin_class("provider", "vllm").model_validate({"model": "org/m", **options})
    assert isinstance(found, Provider)
    return found


def problems(**options: Any) -> list[str]:
    return [found.message for found in vllm(**options).problems(None, OptionFiles({}))]


def missing(**options: Any) -> list[str]:
    return [found.found for found in vllm(**options).missing()]


@pytest.fixture(autouse=True)
def no_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SFTRECIPE_VLLM_ENV", raising=False)
    (tmp_path / "project").mkdir()
    monkeypatch.chdir(tmp_path / "project")


@pytest.fixture
def python(tmp_path: Path) -> Path:
    made = tmp_path / "envs" / "vllm" / "bin" / "python"
    made.parent.mkdir(parents=True)
    made.write_text("#!/bin/sh\n")
    made.chmod(0o755)
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    folder = tmp_path / "models" / "Small-1B"
    folder.mkdir(parents=True)
    (folder / "config.json").write_text("{}")
    header = {
        name: {"dtype": "F32", "shape": [2500000], "data_offsets": [at * 10**7, (at + 1) * 10**7]}
        for at, name in enumerate(("first", "second"))
    }
    text = json.dumps({"__metadata__": {}, **header}).encode()
    content = len(text).to_bytes(8, "little") + text + bytes(2 * 10**7)
    (folder / "model.safetensors").write_bytes(content)
    return folder


def test_the_environment(python: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert problems(serve={"python": str(python)}) == []
    assert problems(serve={"python": str(python.parents[1])}) == []
    assert missing(serve={}) == ["no environment that has vLLM is named"]
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", "/nowhere")
    assert missing(serve={}) == ["python '/nowhere' does not exist"]
    assert problems(serve={}) == []  # the recipe is right
    assert missing() == missing(serve={"python": "/nowhere"}) == []
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", str(python.parents[1]))
    assert missing(serve={}) == []
    assert problems(serve={"python": "envs/vllm"}) == ["python 'envs/vllm' is not an absolute path"]
    assert "is not an absolute path" in problems(serve={"python": "~/vllm"})[0]
    assert "neither a python nor" in problems(serve={"python": "/bin/sh"})[0]
    python.chmod(0o644)
    assert missing(serve={}) == [f"python '{python}' cannot be executed"]


def test_a_recipe_starts_nothing_that_came_with_it(
    python: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    theirs = tmp_path / "project" / "venv"
    shutil.copytree(python.parents[1], theirs)
    refused = "lies in the project, and a recipe starts nothing from there"
    for way in (theirs, theirs / "bin" / "python", "/proc/self/cwd/venv"):
        assert refused in problems(serve={"python": str(way)})[0]
    link = tmp_path / "envs" / "python"
    link.symlink_to(theirs / "bin" / "python")
    assert refused in problems(serve={"python": str(link)})[0]
    monkeypatch.setenv("SFTRECIPE_VLLM_ENV", "venv")  # the user's own word
    assert problems(serve={}) == []


def test_the_model_and_the_address(python: Path, weights: Path) -> None:
    serve = {"python": str(python)}
    assert problems(serve=serve, model=str(weights)) == []
    assert problems(serve=serve, model="./m") == ["model './m' is not an absolute path"]
    assert problems(serve=serve, model=str(python.parent)) == [
        f"model '{python.parent}' is no folder with a config.json"
    ]
    assert problems(serve=serve, model="/nowhere") == []
    assert missing(serve=serve, model="/nowhere") == ["model '/nowhere' is not on this machine"]
    assert missing(model="/nowhere") == []
    assert problems(serve=serve, base_url="http://h/v1", api_key="k") == [
        "base_url belongs to a running server, and serve starts one",
        "api_key belongs to a running server, and serve starts one",
    ]
    assert problems(base_url="http://h/v1", model="/nowhere") == []


def test_arguments(python: Path) -> None:
    def wrong(**arguments: Any) -> list[str]:
        return problems(serve={"python": str(python), "args": arguments})

    assert wrong(max_model_len=4096, dtype="bfloat16", enforce_eager=True) == []
    for name in ("trust_remote_code", "middleware", "tool_parser_plugin", "config", "worker_cls"):
        assert wrong(**{name: True}) == [
            f"argument '{name}' is not one that a recipe may give to vLLM"
        ]
    assert wrong(port=8000) == ["argument 'port' is given by the engine"]
    assert wrong(quantization="../plugin.py") == [
        "argument 'quantization' is a true or false, a number, a word or a mapping"
    ]
    assert argument_list(
        {"max_model_len": 4096, "enforce-eager": True, "async_scheduling": False,
         "hf_overrides": {"rope_theta": 1e6}}
    ) == [
        "--max-model-len=4096", "--enforce-eager", "--no-async-scheduling",
        '--hf-overrides={"rope_theta": 1000000.0}',
    ]  # fmt: skip


def test_the_place_of_a_problem(tmp_path: Path, python: Path) -> None:
    recipe = tmp_path / "project" / "recipe.yaml"
    serve = f"{{python: {python}, args: {{max_model_length: 1}}}}"
    recipe.write_text(
        "version: 1\nname: r\nproviders:\n"
        f"  p: {{use: vllm, model: org/m, serve: {serve}}}\n"
        "sources: {s: {use: jsonl, path: s.jsonl}}\nexport: [{use: jsonl}]\n"
    )
    (recipe.parent / "s.jsonl").write_text("{}\n")
    with pytest.raises(RecipeError) as caught:
        check_recipe(recipe, allow=["python"])
    (problem,) = caught.value.problems
    assert problem.position is not None
    assert problem.position.line == 4
    assert problem.advice("en") == "did you mean 'max_model_len'?"


def test_a_folder_is_known_by_its_name_and_what_it_holds(weights: Path, tmp_path: Path) -> None:
    first = vllm(serve={}, model=str(weights))
    assert first.model_name() == "Small-1B"
    moved = shutil.copytree(weights, tmp_path / "elsewhere" / "Small-1B")
    assert vllm(serve={}, model=f"{moved}").identity() == first.identity()
    memory = {"max_model_len": 64, "gpu-memory-utilization": 0.5}
    assert vllm(serve={"args": memory}, model=str(weights)).identity() == first.identity()
    half = {"args": {"dtype": "float16"}}
    assert vllm(serve=half, model=str(weights)).identity() != first.identity()
    with (moved / "model.safetensors").open("r+b") as file:
        file.seek(-(10**7), 2)  # the second tensor
        file.write(b"\x01")
    assert vllm(serve={}, model=str(moved)).identity() != first.identity()
    own = vllm(serve={}, model=str(moved), revision="mine").identity()
    assert own == {"model": "Small-1B", "revision": "mine"}


def test_spoilt_weights_are_told_apart_too(weights: Path) -> None:
    before = vllm(serve={}, model=str(weights)).identity()
    for content in (b"", b"\xff" * (1 << 25), bytes(1 << 25)):
        (weights / "model.safetensors").write_bytes(content)
        assert vllm(serve={}, model=str(weights)).identity() != before
    assert vllm(serve={}, model="/nowhere/m").identity()["model"] == "m"


def test_a_served_name_and_a_running_servers_share_the_ledger() -> None:
    assert vllm(serve={}).identity() == vllm(base_url="http://h:1/v1").identity()


def test_a_pooling_server_embeds() -> None:
    assert vllm(serve={"args": {"runner": "pooling"}}).capabilities() == {"embed"}
    assert "embed" not in vllm(serve={}).capabilities()


def test_validate_imports_nothing_of_servers() -> None:
    script = """
import sys
from sftrecipe.plugin.base import OptionFiles
from sftrecipe.plugin.discovery import plugin_class
provider = plugin_class("provider", "vllm").model_validate({"model": "m", "serve": {}})
list(provider.problems(None, OptionFiles({})))
print(sorted({"asyncio", "aiohttp", "subprocess"} & set(sys.modules)))
"""
    out = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert out.stdout.strip() == "[]"
