"""The real vLLM on a CPU with SmolLM2, started by the engine in what `.ci/vllm-env` makes."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
import pytest_asyncio

from sftrecipe.calls.session import Session, open_session
from sftrecipe.errors import SftrecipeError
from sftrecipe.plugin.discovery import plugin_class
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.shared.processes.process_group import Process, members
from sftrecipe_registry.shared.processes.server_note import SUFFIX, ServerNote, read_note

from ...support.training_model import small_model

REPOSITORY = Path(__file__).resolve().parents[3]
ENVIRONMENT = REPOSITORY / ".env-vllm"
PYTHON = ENVIRONMENT / "bin" / "python"
LIKELIHOODS = Path(__file__).with_name("transformers_likelihoods.py")
ARGUMENTS = {
    "dtype": "float32",
    "max_model_len": 1024,
    "enforce_eager": True,
    # Of the machine's memory, which others use too: vLLM refuses to start where less is free.
    "gpu_memory_utilization": 0.2,
}
ON_A_CPU = {
    "SFTRECIPE_VLLM_ENV": str(ENVIRONMENT),
    "HF_HUB_OFFLINE": "1",
    "TORCHDYNAMO_DISABLE": "1",
    "VLLM_CPU_KVCACHE_SPACE": "1",
}
SCHEMA = {
    "type": "object",
    "properties": {"name": {"type": "string", "maxLength": 20}, "deadly": {"type": "boolean"}},
    "required": ["name", "deadly"],
    "additionalProperties": False,
}
PAIRS = [
    ("The capital of France is", " Paris, a city on the Seine."),
    ("问：发烧怎么办？答：", "多喝水，休息。"),
]
RECIPE = """\
version: 1
name: served
providers:
  teacher:
    use: vllm
    model: {model}
    serve:
      args: {{max_model_len: 1024, enforce_eager: true, gpu_memory_utilization: 0.2}}
sources:
  seeds: {{use: jsonl, path: seeds.jsonl}}
generate:
  - id: answer
    use: respond
    from: seeds
    provider: teacher
    with: {{max_tokens: 300, extra: {{structured_outputs: {{regex: '{reply}'}}}}}}
export:
  - {{use: jsonl}}
"""

THINKING = """\
{% for turn in messages %}<|im_start|>{{ turn.role }}
{{ turn.content }}<|im_end|>
{% endfor %}<|im_start|>assistant
<think>
"""
"""A template that opens the thought itself, as R1's: replies have its end alone."""
REPLY = r"So, (fever|fruit|light)\.\n</think>\n\nIt is [a-z ]{3,30}\."

pytestmark = [
    pytest.mark.heavy,
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        not (ENVIRONMENT / ".complete").exists(),
        reason="vLLM's environment is absent: make it with .ci/vllm-env",
    ),
]


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    with pytest.MonkeyPatch.context() as environment:
        for name, value in ON_A_CPU.items():
            environment.setenv(name, value)
        yield small_model(tmp_path_factory.mktemp("models") / "SmolLM2-135M-Instruct")


@asynccontextmanager
async def asked(folder: Path, model: Path, said: list[str]) -> AsyncIterator[Session]:
    options = {"model": str(model), "serve": {"args": ARGUMENTS}}
    plugin = plugin_class("provider", "vllm").model_validate(options)
    block = Block("providers", "p", "vllm", plugin)
    ledger = folder / ".sftrecipe" / "ledger.sqlite"
    async with open_session({"p": block}, ledger, run="r", progress=said.append) as session:
        yield session


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def served(
    smollm2: Path, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[tuple[Session, Path]]:
    """One server for the tests that harm none."""
    folder = tmp_path_factory.mktemp("project")
    async with asked(folder, smollm2, []) as session:
        yield session, folder


def note_of(folder: Path) -> ServerNote:
    (path,) = (folder / ".sftrecipe" / "providers" / "servers").glob(f"*{SUFFIX}")
    note = read_note(path)
    assert note is not None
    return note


def turns(text: str) -> list[dict[str, str]]:
    return [{"role": "user", "content": text}]


async def test_chat_completion_and_structured_output(served: tuple[Session, Path]) -> None:
    model = served[0].model("p", "step")
    reply = await model.chat(turns("What is fever?"), sampling={"max_tokens": 16, "temperature": 0})
    assert "ever" in reply.text
    assert (reply.finish_reason, reply.output_tokens) == ("length", 16)
    written = await model.complete("1, 2, 3,", sampling={"max_tokens": 4, "temperature": 0})
    assert written.text.startswith(" 4")
    scored = await model.complete("One", sampling={"max_tokens": 4, "logprobs": True})
    assert len(scored.logprobs) == 4
    held = await model.chat(turns("Name a disease"), schema=SCHEMA, sampling={"max_tokens": 80})
    assert isinstance(json.loads(held.text)["deadly"], bool)


async def test_thoughts_are_parted_where_no_parser_is_on(served: tuple[Session, Path]) -> None:
    model = served[0].model("p", "step")
    forms = {
        "<think>\\nhm, hm\\n</think>\\n\\nDrink\\.": ("hm, hm", "Drink.", "stop"),
        "hm, hm\\n</think>\\n\\nDrink\\.": ("hm, hm", "Drink.", "stop"),
        "<think>\\nhm(, hm){90}": ("hm, hm", "", "the thought took all of max_tokens"),
    }
    for form, (thought, answer, ending) in forms.items():
        sampling = {"max_tokens": 60, "structured_outputs": {"regex": form}}
        reply = await model.chat(turns("What helps?"), sampling=sampling)
        assert reply.reasoning.startswith(thought)
        assert (reply.text, reply.finish_reason) == (answer, ending)


async def test_likelihoods_are_those_of_transformers(
    served: tuple[Session, Path], smollm2: Path
) -> None:
    expected = await asyncio.to_thread(
        subprocess.run,
        [PYTHON, LIKELIHOODS, smollm2],
        input=json.dumps(PAIRS),
        capture_output=True,
        text=True,
        check=True,
    )
    model = served[0].model("p", "step")
    for (prompt, answer), values in zip(PAIRS, json.loads(expected.stdout), strict=True):
        reply = await model.loglikelihood(prompt, answer)
        assert reply.logprobs == pytest.approx(values, abs=0.01)


async def test_what_was_asked_before_starts_no_server(
    served: tuple[Session, Path], smollm2: Path
) -> None:
    await served[0].model("p", "step").complete("Once", sampling={"max_tokens": 4})
    said: list[str] = []
    async with asked(served[1], smollm2, said) as session:
        assert (await session.model("p", "step").complete("Once", sampling={"max_tokens": 4})).text
        assert session.total().cached == 1
    assert not said


async def test_the_key_is_in_no_file_and_no_command_line(served: tuple[Session, Path]) -> None:
    session, folder = served
    await session.model("p", "step").complete("Key", sampling={"max_tokens": 1})
    (server, *_) = note_of(folder).processes
    key = variable(server, "VLLM_API_KEY")
    places = [path for path in folder.rglob("*") if path.is_file()]
    assert any(path.suffix == ".log" for path in places)
    for path in [*places, Path(f"/proc/{server.pid}/cmdline")]:
        assert key not in path.read_bytes(), path


async def test_after_a_killed_worker_the_server_is_started_once_more(
    served: tuple[Session, Path],
) -> None:
    session, folder = served
    model = session.model("p", "step")
    await model.complete("Two", sampling={"max_tokens": 1})
    note = note_of(folder)
    calls = [
        asyncio.create_task(model.complete(f"Story {number}:", sampling={"max_tokens": 150}))
        for number in range(4)
    ]
    await asyncio.sleep(1)
    worker = next(process for process in members(note.group) if "EngineCore" in name_of(process))
    os.kill(worker.pid, signal.SIGKILL)
    for reply in await asyncio.gather(*calls):
        assert len(reply.text) > 20
    assert note_of(folder).group != note.group
    assert not members(note.group)


async def test_a_folder_that_holds_no_model(smollm2: Path, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text('{"model_type": "unheard_of"}')
    with pytest.raises(SftrecipeError) as caught:
        async with asked(tmp_path, tmp_path / "model", []) as session:
            await session.model("p", "step").complete("x")
    assert "ended while it started (exit status 1)" in str(caught.value)
    assert "unheard_of" in str(caught.value)
    assert "Traceback" not in str(caught.value)


async def test_a_killed_run_leaves_nothing_and_its_repetition_ends(
    smollm2: Path, tmp_path: Path
) -> None:
    (tmp_path / ".sftrecipe").mkdir()
    (tmp_path / "recipe.yaml").write_text(
        RECIPE.format(model=thinking(smollm2, tmp_path), reply=REPLY)
    )
    questions = ["What is fever?", "Name three fruits.", "Why is the sky blue?"]
    rows = [json.dumps({"instruction": question}) for question in questions]
    (tmp_path / "seeds.jsonl").write_text("\n".join(rows) + "\n")
    command = [sys.executable, "-m", "sftrecipe.cli.main", "run", "recipe.yaml"]
    engine = await asyncio.create_subprocess_exec(*command, cwd=tmp_path)
    note = await working(tmp_path)
    engine.kill()
    await engine.wait()
    async with asyncio.timeout(30):
        while members(note.group) or note.keeper.lives():  # noqa: ASYNC110 - other processes
            await asyncio.sleep(0.2)

    again = await asyncio.create_subprocess_exec(*command, cwd=tmp_path)
    note = await working(tmp_path)
    assert await again.wait() == 0
    assert not members(note.group)
    assert not list((tmp_path / ".sftrecipe" / "providers" / "servers").glob(f"*{SUFFIX}"))
    run = json.loads((tmp_path / "runs" / "served" / "run.json").read_text())
    kept = (tmp_path / "runs" / "served" / "served.jsonl").read_text().splitlines()
    rows = [json.loads(line) for line in kept]
    assert [row["instruction"] for row in rows] == questions, run
    assert all(row["reasoning"].startswith("So, ") for row in rows), rows
    assert all(row["output"].startswith("It is ") for row in rows), rows


def thinking(model: Path, folder: Path) -> Path:
    """The model under a template that opens the thought itself."""
    copy = folder / "thinking"
    copy.mkdir()
    for file in model.iterdir():
        (copy / file.name).symlink_to(file)
    config = json.loads((model / "tokenizer_config.json").read_text())
    config.pop("chat_template", None)
    for name, text in (
        ("tokenizer_config.json", json.dumps(config)),
        ("chat_template.jinja", THINKING),
    ):
        (copy / name).unlink(missing_ok=True)
        (copy / name).write_text(text)
    return copy


async def working(folder: Path) -> ServerNote:
    """The note of a server that has told that it is ready, with all its workers."""
    async with asyncio.timeout(600):
        while True:
            for path in (folder / ".sftrecipe" / "providers" / "servers").glob(f"*{SUFFIX}"):
                note = read_note(path)
                if note is not None and len(note.processes) > 2:
                    return note
            await asyncio.sleep(0.2)


def variable(process: Process, name: str) -> bytes:
    variables = Path(f"/proc/{process.pid}/environ").read_bytes().split(b"\0")
    return dict(value.split(b"=", 1) for value in variables if value)[name.encode()]


def name_of(process: Process) -> str:
    return Path(f"/proc/{process.pid}/cmdline").read_bytes().decode()
