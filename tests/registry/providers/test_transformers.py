"""The provider `transformers`: its worker at work, against transformers and trl themselves."""

from __future__ import annotations

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from sftrecipe import CallFailed, Reply
from sftrecipe.calls.session import open_session
from sftrecipe.errors import RecipeError
from sftrecipe.plugin import Model, OptionFiles
from sftrecipe.recipe.load import check_recipe
from sftrecipe.recipe.recipe import Block
from sftrecipe_registry.providers.transformers.provider import Transformers
from sftrecipe_registry.providers.vllm.provider import Serve, Vllm

from ...support.training_environment import ABSENT, training_process_environment, training_python
from ...support.training_model import small_model

REFERENCE = Path(__file__).with_name("transformers_reference.py")
NONE = OptionFiles({})
heavy = pytest.mark.heavy
TALKS = [
    [{"role": "user", "content": "What is the capital of France?"}],
    [{"role": "user", "content": "Name three colours, one a line."}],
    [
        {"role": "system", "content": "You are a terse doctor."},
        {"role": "user", "content": "I have had a headache for two days. What should I do?"},
        {"role": "assistant", "content": "Rest and drink water."},
        {"role": "user", "content": "And if it does not get better within the week?"},
    ],
]
TEXTS = ["1, 2, 3,", "Once upon a time", "The heart pumps"]
RATED = [
    [{"role": "user", "content": asked}, {"role": "assistant", "content": said}]
    for asked, said in [
        ("What is 2 + 2?", "4"),
        ("What is 2 + 2?", "I think that it may well be five, or else six, who knows."),
        ("Name a colour.", "Blue"),
    ]
]


def reference(what: str, asked: object, path: Path | str = "") -> Any:
    python = training_python()
    if python is None:
        pytest.skip(ABSENT)
    done = subprocess.run(
        [python, REFERENCE, what, str(path)],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.fixture(scope="module")
def smollm2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if training_python() is None:
        pytest.skip(ABSENT)
    return small_model(tmp_path_factory.mktemp("smollm2"))


@pytest.fixture(scope="module")
def tiny(smollm2: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of small random models, with SmolLM2's tokenizer."""
    folder = tmp_path_factory.mktemp("tiny")
    reference("models", {"tokenizer": str(smollm2)}, folder)
    return folder


@pytest.fixture(autouse=True)
def environment(monkeypatch: pytest.MonkeyPatch) -> None:
    python = training_python()
    named = {"SFTRECIPE_TRAIN_ENV": str(python and python.parents[1]), "OMP_NUM_THREADS": "1"}
    for name, value in named.items():
        monkeypatch.setenv(name, value)


@asynccontextmanager
async def opened(folder: Path, model: Path, **options: Any) -> AsyncIterator[Model]:
    provider = Transformers(model=str(model), dtype="float32", device="cpu", **options)
    ledger = folder / ".sftrecipe" / "ledger.sqlite"
    block = Block("providers", "p", "transformers", provider)
    async with open_session({"p": block}, ledger, run="r") as session:
        yield session.model("p", "step")


async def chats(model: Model, sampling: Mapping[str, Any], talks: Iterable[Any]) -> list[Reply]:
    return await asyncio.gather(*(model.chat(talk, sampling=sampling) for talk in talks))


async def failure(asked: Any) -> str:
    with pytest.raises(CallFailed) as failed:
        await asked
    assert failed.value.outcome == "final"
    return failed.value.message


@heavy
async def test_greedy_replies_are_those_of_generate(smollm2: Path, tmp_path: Path) -> None:
    sampling = {"temperature": 0, "max_tokens": 32}
    penalty = {**sampling, "repetition_penalty": 1.2}
    async with opened(tmp_path, smollm2) as model:
        said = await asyncio.gather(
            *(model.chat(talk, sampling=sampling) for talk in TALKS),
            *(model.complete(text, sampling=sampling) for text in TEXTS),
            *(model.complete(text, sampling=penalty) for text in TEXTS),
        )
    asked = [
        *({"messages": talk, **sampling} for talk in TALKS),
        *({"prompt": text, **sampling} for text in TEXTS),
        *({"prompt": text, **penalty} for text in TEXTS),
    ]
    assert [reply.text for reply in said] == reference("generate", asked, smollm2)
    assert said[0].text == "The capital of France is Paris."
    assert (said[0].finish_reason, said[0].output_tokens) == ("stop", 8)
    assert said[3].finish_reason == "length"
    assert said[3].output_tokens == 32
    assert said[0].input_tokens == 37


@heavy
@pytest.mark.parametrize(
    "sampling",
    [
        {"temperature": 0},
        {"temperature": 0.9, "top_p": 0.9, "min_p": 0.02, "top_k": 200, "frequency_penalty": 0.2},
    ],
    ids=["greedy", "sampled"],
)
async def test_a_reply_does_not_depend_on_its_batch(
    sampling: Mapping[str, Any], smollm2: Path, tmp_path: Path
) -> None:
    asked = {**sampling, "max_tokens": 24}
    talks = [*TALKS, *([{"role": "user", "content": text}] for text in TEXTS)]
    async with opened(tmp_path / "together", smollm2) as model:
        together = await chats(model, asked, talks)
    async with opened(tmp_path / "alone", smollm2, batch_tokens=1) as model:
        alone = await chats(model, asked, reversed(talks))
    assert [reply.text for reply in together] == [reply.text for reply in reversed(alone)]
    assert len({reply.text for reply in together}) == len(talks)


@heavy
async def test_samples_and_seeds_differ(smollm2: Path, tmp_path: Path) -> None:
    async with opened(tmp_path, smollm2) as model:
        sampling = {"temperature": 1.0, "max_tokens": 12}
        said = await asyncio.gather(
            *(model.complete(TEXTS[1], sample=each, sampling=sampling) for each in range(3)),
            model.complete(TEXTS[1], sampling={**sampling, "seed": 3}),
        )
    assert len({reply.text for reply in said}) == 4


@heavy
async def test_where_a_reply_ends(smollm2: Path, tmp_path: Path) -> None:
    async with opened(tmp_path, smollm2) as model:
        sampling = {"temperature": 0, "max_tokens": 24}
        whole = await model.complete("1, 2, 3,", sampling=sampling)
        stopped = await model.complete("1, 2, 3,", sampling={**sampling, "stop": [" 9", "7"]})
        word = await model.complete("1, 2, 3,", sampling={**sampling, "stop": " 5"})
        comma = {**sampling, "stop_token_ids": [28]}  # SmolLM2's ","
        token = await model.complete("1, 2, 3,", sampling=comma)
    assert whole.text.startswith(" 4, 5, 6, 7, 8")
    assert (stopped.text, stopped.finish_reason) == (" 4, 5, 6, ", "stop")
    assert (word.text, word.finish_reason) == (" 4,", "stop")
    assert (token.text, token.finish_reason) == (" 4", "stop")


@heavy
async def test_what_cannot_be_asked_is_told(tiny: Path, tmp_path: Path) -> None:
    talk = TALKS[0]
    async with opened(tmp_path, tiny / "writer") as model:
        assert "'logprobs' is not" in await failure(model.chat(talk, sampling={"logprobs": True}))
        assert "empty" in await failure(model.chat([]))
        assert "context holds 256" in await failure(model.complete("word " * 300))
        assert "no reward model" in await failure(model.reward(RATED[0]))
        assert (await model.complete("One", sampling={"max_tokens": 3})).output_tokens == 3
        long = await model.complete("word " * 250, sampling={"max_tokens": 50, "temperature": 0})
        assert long.input_tokens + long.output_tokens <= 256
    async with opened(tmp_path, tiny / "classifier") as model:
        assert "does not write" in await failure(model.chat(talk))
        assert "log-probabilities" in await failure(model.loglikelihood("a", " b"))
    async with opened(tmp_path, tiny / "two_labels") as model:
        assert "has 2 labels" in await failure(model.reward(RATED[0]))


TOOL = {"type": "function", "function": {"name": "find", "parameters": {"type": "object"}}}
CALL = {"name": "find", "arguments": {"q": "x"}}
OF_TOOLS = """\
{% for tool in tools or [] %}{{ tool.function.name }}{% endfor %}
{%- for turn in messages %} {% for call in turn.tool_calls or [] %}
{{- call.function.arguments.q }}{% endfor %}{{ turn.content }}{% endfor %}"""


@heavy
async def test_a_chat_template_of_ones_own(tiny: Path, tmp_path: Path) -> None:
    folder = tiny / "writer"
    settings = folder / "tokenizer_config.json"
    before = settings.read_text("utf-8")
    bare = {name: value for name, value in json.loads(before).items() if name != "chat_template"}
    settings.write_text(json.dumps(bare), "utf-8")
    template = tmp_path / "plain.jinja"
    template.write_text("{% for turn in messages %}{{ turn.content }}{% endfor %}", "utf-8")
    try:
        async with opened(tmp_path, folder) as model:
            assert "no chat template" in await failure(model.chat(TALKS[0]))
        sampling = {"temperature": 0, "max_tokens": 5}
        async with opened(tmp_path, folder, chat_template=str(template)) as model:
            by_chat = await model.chat(TALKS[0], sampling=sampling)
            text = await model.complete(TALKS[0][0]["content"], sampling=sampling)
            assert (by_chat.text, by_chat.input_tokens) == (text.text, text.input_tokens)
            told = await failure(model.chat(TALKS[0], tools=[TOOL]))
            assert "knows no calls of tools" in told
        template.write_text(OF_TOOLS, "utf-8")
        async with opened(tmp_path / "tools", folder, chat_template=str(template)) as model:
            called = {"role": "assistant", "content": "", "tool_calls": [CALL]}
            said = [*TALKS[0][:1], called, {"role": "tool", "content": "y"}]
            by_chat = await model.chat(said, sampling=sampling, tools=[TOOL])
            text = await model.complete(f"find {TALKS[0][0]['content']} x y", sampling=sampling)
            assert (by_chat.text, by_chat.input_tokens) == (text.text, text.input_tokens)
    finally:
        settings.write_text(before, "utf-8")
    named = [Transformers(model=str(folder), chat_template=each) for each in (str(template), None)]
    assert named[0].identity() != named[1].identity()


@heavy
async def test_rewards_of_a_classifier(tiny: Path, tmp_path: Path) -> None:
    async with opened(tmp_path, tiny / "classifier") as model:
        replies = await asyncio.gather(*(model.reward(talk) for talk in RATED))
    wanted = reference("classifier_rewards", RATED, tiny / "classifier")
    assert [reply.reward for reply in replies] == pytest.approx(wanted, rel=1e-4)
    assert len(set(wanted)) == 3
    assert all(reply.input_tokens > 10 for reply in replies)


@heavy
async def test_rewards_of_what_llamafactory_trains(tiny: Path, tmp_path: Path) -> None:
    merged = _reward_model(tiny / "writer", tmp_path)
    provider = Transformers(model=str(merged))
    assert {"reward", "chat"} <= provider.capabilities()
    async with opened(tmp_path, merged) as model:
        replies = await asyncio.gather(*(model.reward(talk) for talk in RATED))
    wanted = reference("value_rewards", RATED, merged)
    assert [reply.reward for reply in replies] == pytest.approx(wanted, rel=1e-3, abs=1e-5)
    assert len(set(wanted)) == 3


def _reward_model(base: Path, folder: Path) -> Path:
    """LLaMA-Factory's stage rm, LoRA, some steps, merged by its own export."""
    rows = [
        {"instruction": f"What is {n} + 1?", "chosen": f"{n + 1}", "rejected": "I do not know."}
        for n in range(8)
    ]
    (folder / "pairs.json").write_text(json.dumps(rows), "utf-8")
    columns = {"prompt": "instruction", "chosen": "chosen", "rejected": "rejected"}
    about = {"pairs": {"file_name": "pairs.json", "ranking": True, "columns": columns}}
    (folder / "dataset_info.json").write_text(json.dumps(about), "utf-8")
    shared = {"model_name_or_path": str(base), "template": "smollm2", "finetuning_type": "lora"}
    training = {
        "stage": "rm",
        "do_train": True,
        "dataset": "pairs",
        "dataset_dir": str(folder),
        "output_dir": str(folder / "adapter"),
        "max_steps": 4,
        "learning_rate": 0.01,
        "report_to": "none",
        "use_cpu": True,
    }
    merging = {
        "stage": "rm",
        "adapter_name_or_path": str(folder / "adapter"),
        "export_dir": str(folder / "merged"),
        "infer_dtype": "float32",
    }
    _llamafactory("train", {**shared, **training}, folder)
    _llamafactory("export", {**shared, **merging}, folder)
    assert (folder / "merged" / "value_head.safetensors").exists()
    return folder / "merged"


def _llamafactory(command: str, arguments: Mapping[str, Any], folder: Path) -> None:
    python = training_python()
    assert python is not None
    written = folder / f"{command}.yaml"
    written.write_text(yaml.safe_dump(dict(arguments)), "utf-8")
    done = subprocess.run(
        [python.with_name("llamafactory-cli"), command, written],
        capture_output=True,
        text=True,
        env=training_process_environment(),
        check=False,
    )
    assert done.returncode == 0, done.stderr[-3000:]


@heavy
def test_unlikely_tokens_are_left_out_as_by_transformers() -> None:
    likes: Sequence[dict[str, float]] = [
        {"temperature": t, "top_p": p, "top_k": k, "min_p": m, "repetition_penalty": r, "spread": s}
        for t, p, k, m, r, s in [
            (1.0, 0.9, 0, 0.0, 1.0, 3.0),
            (0.7, 0.5, 40, 0.0, 1.3, 2.0),
            (1.5, 1.0, 0, 0.1, 0.8, 4.0),
            (1.0, 0.95, 0, 0.05, 1.1, 0.01),  # flat: the nucleus is most of the vocabulary
        ]
    ]
    assert max(reference("narrowed", likes)) < 1e-6


@heavy
def test_tokens_are_drawn_by_their_probabilities() -> None:
    odds = [0.5, 0.0, 0.3, 0.2, 0.0]
    shares = reference("drawn", {"odds": odds, "count": 4000})
    assert shares.keys() == {"0", "2", "3"}
    assert [shares[token] for token in "023"] == pytest.approx([0.5, 0.3, 0.2], abs=0.03)
    assert reference("penalties", None) == [[1.0, 1.0, 0.0, 0.25, 1.0]]


@heavy
def test_a_batch_that_does_not_fit_is_halved() -> None:
    found = reference("short_memory", {"rows": 6, "fit": 2})
    assert sorted(found["replies"]) == list(range(6))
    assert [len(tried) for tried in found["tried"]] == [6, 2, 3, 1, 1]


def test_what_a_folder_can_do(tmp_path: Path) -> None:
    def able(architecture: str, *files: str) -> frozenset[str]:
        (tmp_path / "config.json").write_text(json.dumps({"architectures": [architecture]}))
        for file in files:
            (tmp_path / file).touch()
        return Transformers(model=str(tmp_path)).capabilities()

    writes = {"chat", "tools", "complete", "loglikelihood", "embed"}
    assert able("LlamaForCausalLM") == writes
    assert able("LlamaForSequenceClassification") == {"reward", "embed"}
    assert able("BertModel") == {"embed"}
    assert able("LlamaForCausalLM", "value_head.safetensors") == {*writes, "reward"}
    assert Transformers(model="org/name").capabilities() == {*writes, "reward"}


def test_an_adapter_is_no_model(tmp_path: Path) -> None:
    for file in ("adapter_config.json", "adapter_model.safetensors", "config.json"):
        (tmp_path / file).touch()
    provider = Transformers(model=str(tmp_path))
    told = [each for each in provider.problems(None, NONE) if each.path == ("model",)]
    assert "is an adapter without the model" in told[0].message
    assert "merged" in (told[0].hint or "")
    (tmp_path / "model-00001-of-00002.safetensors").touch()
    assert not [each for each in provider.problems(None, NONE) if each.path == ("model",)]


@pytest.mark.parametrize("name", ["trained", "trained:sft"])
def test_the_model_that_the_recipe_trains(name: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    for provider in (Transformers(model=name), Vllm(model=name, serve=Serve())):
        assert not [each for each in provider.problems(None, NONE) if each.path == ("model",)]
        assert provider.identity()["model"] == name
        assert provider.token_counter() is None
        placed = provider.model_copy(update={"model": str(tmp_path)})
        assert placed.model_name() == tmp_path.name
        assert "revision" in placed.identity()
    [problem] = Vllm(model=name).problems(None, NONE)
    assert problem.hint == "add serve: {}"


def test_a_template_file_lies_beside_the_recipe(tmp_path: Path) -> None:
    if training_python() is None:
        pytest.skip(ABSENT)
    recipe = tmp_path / "r.yaml"
    recipe.write_text(
        "version: 1\nname: r\nproviders: {p: {use: transformers, model: org/name, "
        "chat_template: plain.jinja}}\nsources: {rows: {use: jsonl, path: rows.jsonl}}\n"
        "export: [{use: jsonl}]\n",
        "utf-8",
    )
    (tmp_path / "rows.jsonl").write_text("{}\n", "utf-8")
    with pytest.raises(RecipeError, match=r"plain\.jinja"):
        check_recipe(recipe)
    (tmp_path / "plain.jinja").write_text("{{ messages[0].content }}", "utf-8")
    plugin = check_recipe(recipe).providers["p"].plugin
    assert plugin.identity()["chat_template"] == "{{ messages[0].content }}"
