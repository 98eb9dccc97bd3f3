"""What is done with a trained model: the card, GGUF, other numbers, the way to a hub."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from click.testing import CliRunner
from tests.support.finished_runs import SECRET, finished_run
from tests.support.standin_hub import Repository, StandinHub, standin_hub

from sftrecipe.cli.main import cli
from sftrecipe.errors import SftrecipeError

HUGGING_FACE = "huggingface:me/clinic"
MODELSCOPE = "modelscope:me/clinic"


def card(folder: Path, *words: str) -> str:
    """The card as the command leaves it; in this process, which knows it already."""
    done = CliRunner().invoke(cli, ["model", "card", str(folder / "clinic.yaml"), *words])
    assert done.exit_code == 0, done.output
    return Path(done.output.strip()).read_text("utf-8")


def model(*words: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "sftrecipe.cli.main", "model", *words],
        check=False,
        cwd=folder,
        capture_output=True,
        text=True,
        env={**os.environ, "LANG": "C.UTF-8", **variables},
    )


@pytest.fixture
def hub() -> Iterator[StandinHub]:
    with standin_hub() as hub:
        yield hub


def push(
    hub: StandinHub, folder: Path, place: str, *words: str
) -> subprocess.CompletedProcess[str]:
    variables = _variables(hub, folder)
    return model("push", "clinic.yaml", "--to", place, *words, folder=folder, **variables)


def _variables(hub: StandinHub, folder: Path) -> dict[str, str]:
    return {
        "HF_ENDPOINT": hub.address,
        "MODELSCOPE_ENDPOINT": hub.address,
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": "hf-token",
        "MODELSCOPE_API_TOKEN": "ms-token",
        "MODELSCOPE_HOME": str(folder / "ms"),
        "HF_HOME": str(folder / "hf"),
    }


def head(text: str) -> dict[str, object]:
    found = yaml.safe_load(text.split("---\n")[1])
    assert isinstance(found, dict)
    return found


def test_a_card_tells_data_settings_figures_and_nothing_private(tmp_path: Path) -> None:
    finished_run(tmp_path, license="apache-2.0")
    text = card(tmp_path)
    assert head(text) == {
        "language": ["en"],
        "license": "apache-2.0",
        "base_model": "Qwen/Qwen2.5-0.5B",
        "pipeline_tag": "text-generation",
        "library_name": "transformers",
        "tags": ["sftrecipe", "llamafactory", "sft"],
    }
    for told in (
        "- `clinic`: 48 rows",
        "| clinic | jsonl | clinic.jsonl | 60 | `clinic-key` |",
        "| short | length | none | 60 | 48 |",
        "| `learning_rate` | 0.001 |",
        "| `deepspeed` | ds.json |",
        "Loss: 1.677 at step 5, 0.0018 at step 40.",
        "Loss on the rows held out: 0.9 at step 40.",
        "| `tuned_contains` | 0.5 | 0.25 … 0.75 |",
        "- gate `tuned_contains` ≥ 0.6: missed, 0.5",
        "sftrecipe run clinic.yaml",
        "| `clinic` | 48 | `e171` |",
    ):
        assert told in text
    assert SECRET not in text
    assert str(tmp_path) not in text
    assert card(tmp_path) == text


def test_a_card_in_chinese_and_without_a_license_says_so(tmp_path: Path) -> None:
    finished_run(tmp_path)
    text = card(tmp_path, "--lang", "zh")
    assert "license" not in head(text)
    assert "未说明：配方没有写明" in text
    assert "- 门槛 `tuned_contains` ≥ 0.6：未达标，0.5" in text


def test_a_license_that_the_hub_has_no_word_for_keeps_its_name(tmp_path: Path) -> None:
    finished_run(tmp_path, license="Clinic Licence 2")
    assert head(card(tmp_path))["license"] == "other"
    assert head(card(tmp_path))["license_name"] == "clinic-licence-2"


@pytest.mark.parametrize(("place", "token"), [(HUGGING_FACE, "hf-token"), (MODELSCOPE, "ms-token")])
def test_a_model_is_sent_once_and_by_its_own_token(
    hub: StandinHub, tmp_path: Path, place: str, token: str
) -> None:
    if place == MODELSCOPE:
        pytest.importorskip("modelscope_hub")
    finished_run(tmp_path)
    told = CliRunner().invoke(cli, ["model", "push", str(tmp_path / "clinic.yaml"), "--to", place])
    assert told.exit_code == 0, told.output
    assert "nothing is sent yet" in told.output
    assert "model.safetensors" in told.output
    assert "training_args" not in told.output
    assert hub.requests == []
    done = push(hub, tmp_path, place, "--what", "adapter", "--yes")
    assert done.returncode == 0, done.stderr
    sent = hub.repositories["me/clinic"]
    assert set(sent.files) == {
        "README.md", "adapter_config.json", "adapter_model.safetensors", "tokenizer.json",
    }  # fmt: skip
    assert b'"Qwen/Qwen2.5-0.5B"' in sent.files["adapter_config.json"]
    assert not any(str(tmp_path).encode() in content for content in sent.files.values())
    assert sent.private
    assert sent.license in ("", "other")
    assert {sent for _, _, sent in hub.requests} <= {"", f"Bearer {token}"}
    assert (sent.commits, hub.puts()) == (1, 1)
    again = push(hub, tmp_path, place, "--what", "adapter", "--yes")
    assert again.returncode == 0, again.stderr
    assert "everything was there already" in again.stdout + again.stderr
    assert (sent.commits, hub.puts()) == (1, 1)


def test_what_a_hub_refuses_is_told(
    hub: StandinHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    finished_run(tmp_path)
    for name, value in _variables(hub, tmp_path).items():
        monkeypatch.setenv(name, value)
    command = ["model", "push", str(tmp_path / "clinic.yaml"), "--to", HUGGING_FACE, "--yes"]
    hub.repositories["me/clinic"] = Repository(private=False)
    error = CliRunner().invoke(cli, [*command, "--what", "adapter"]).exception
    assert isinstance(error, SftrecipeError)
    assert "is public already" in error.problem.message("en")
    assert hub.repositories.pop("me/clinic").files == {}
    hub.refuses = 403
    error = CliRunner().invoke(cli, [*command, "--what", "adapter"]).exception
    assert isinstance(error, SftrecipeError)
    told = error.problem.message("en")
    assert "huggingface did not take 'me/clinic'" in told
    assert "You have no access to this repository" in told
    assert "hf-token" not in told


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["gguf", "--numbers", "q2_k"], "numbers 'q2_k' are not known: f32"),
        (["merge", "--numbers", "q8_0"], "LLaMA-Factory quantizes by GPTQ"),
        (["gguf", "--train", "second"], "train block 'second' does not exist"),
        (["push", "--to", "me/clinic"], "'me/clinic' is not huggingface:OWNER/NAME"),
        (["gguf", "--to", "clinic.yaml"], "'clinic.yaml' is there already"),
        (["card", "--to", "clinic.yaml"], "'clinic.yaml' is there already"),
    ],
)
def test_what_is_not_done_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: list[str], told: str
) -> None:
    finished_run(tmp_path)
    monkeypatch.chdir(tmp_path)
    command = ["model", words[0], str(tmp_path / "clinic.yaml"), *words[1:]]
    error = CliRunner().invoke(cli, command).exception
    assert isinstance(error, SftrecipeError)
    assert told in error.problem.message("en")


def test_a_recipe_that_was_not_run_is_no_missing_one(tmp_path: Path) -> None:
    recipe = finished_run(tmp_path)
    recipe.write_text(recipe.read_text("utf-8").replace('"name": "clinic"', '"name": "new"'))
    error = CliRunner().invoke(cli, ["model", "card", str(recipe)]).exception
    assert isinstance(error, SftrecipeError)
    assert "has not been run" in error.problem.message("en")


def test_the_model_of_a_recipe_that_changed_is_told(tmp_path: Path) -> None:
    recipe = finished_run(tmp_path)
    command = ["model", "card", str(recipe)]
    assert CliRunner().invoke(cli, command).stderr == ""
    run = tmp_path / "runs" / "clinic" / "run.json"
    run.write_text(run.read_text("utf-8").replace(str(recipe), recipe.name), "utf-8")
    assert CliRunner().invoke(cli, command).stderr == ""  # as noted from the recipe's folder
    os.utime(recipe, (2**32, 2**32))
    told = CliRunner().invoke(cli, command)
    assert told.exit_code == 0
    assert "was changed after it; the model is that of the run: " in told.stderr
    assert Path(told.stdout.strip()).is_file()


def test_a_gguf_lies_beside_the_run(tmp_path: Path) -> None:
    gguf = pytest.importorskip("gguf")
    finished_run(tmp_path)
    done = model("gguf", "clinic.yaml", "--numbers", "f16", folder=tmp_path)
    assert done.returncode == 0, done.stderr
    file = tmp_path / "runs" / "clinic" / "clinic-f16.gguf"
    assert done.stdout.strip() == str(file)
    assert gguf.GGUFReader(file).fields["general.name"].contents() == "clinic"
