"""Pre-query templates: the published ones, and those derived from chat templates."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe_registry.methods.magpie.pre_query import (
    NoPreQuery,
    as_given,
    by_chat_template,
    by_family,
    families,
    family_of,
)

DATA = Path(__file__).parents[4] / "shared" / "data" / "magpie"
SYSTEM = "pre_query_template_"
CHATML = (
    "{% for message in messages %}{{ '<|im_start|>' + message['role'] + '\n' + message['content'] "
    "+ '<|im_end|>\n' }}{% endfor %}"
    "{% if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"
)
TALK = [
    {"role": "system", "content": "Be kind."},
    {"role": "user", "content": "Hi"},
    {"role": "assistant", "content": "Hello"},
]


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
def test_all_34_published_templates() -> None:
    published = json.loads((DATA / "model_configs.json").read_text("utf-8"))
    assert len(published) == 34
    for model, wanted in published.items():
        found = by_family(model)
        assert found.text([]) == wanted["pre_query_template"], model
        spelt = [text.replace("starter_", "start_") for text in wanted["stop_tokens"]]
        assert list(found.stop) == spelt, model
        assert list(found.stop_ids) == wanted["stop_token_ids"], model
        assert list(found.stop_words) == wanted["stop_tokens_assistant"], model
        appended = wanted.get("mt_append_template")
        assert appended is None or found.text(TALK).endswith(f"Hello<|eot_id|>{appended}"), model


@pytest.mark.reference
@pytest.mark.skipif(not DATA.is_dir(), reason=f"no reference data at {DATA}")
@pytest.mark.parametrize(
    ("key", "prompt"),
    [("with_system_prompt", "generic"), ("math", "math"), ("code", "code"),
     ("translation", "translation")],
)  # fmt: skip
def test_the_published_system_prompts(key: str, prompt: str) -> None:
    published = json.loads((DATA / "model_configs.json").read_text("utf-8"))
    file = Path(__file__).parents[3] / "registry/sftrecipe_registry/methods/magpie/prompts/magpie"
    system = (file / f"{prompt}.en.j2").read_text("utf-8").removesuffix("\n")
    model = "meta-llama/Meta-Llama-3-8B-Instruct"
    written = by_family(model).text([{"role": "system", "content": system}])
    assert written == published[model][SYSTEM + key]


@pytest.mark.parametrize("name", sorted(families()))
def test_every_family_writes_a_conversation(name: str) -> None:
    talk = TALK if "system" in families()[name] else TALK[1:]
    text = by_family(name).text(talk)
    assert text.endswith(families()[name]["user"] + families()[name].get("lead", ""))
    said = [text.index(turn["content"]) for turn in talk]
    assert said == sorted(said)


def test_no_model_is_in_two_families() -> None:
    models = [model for each in families().values() for model in each["models"]]
    assert len(models) == len(set(models))
    assert all(family_of(model) for model in models)


def test_a_family_without_system_turns_says_so() -> None:
    with pytest.raises(NoPreQuery, match="family 'gemma2' takes no system prompt"):
        by_family("gemma2").text(TALK[:1])


def test_derived_as_the_table_has_it() -> None:
    derived, known = by_chat_template(CHATML), by_family("qwen2")
    assert derived.text([]) == known.text([]) == "<|im_start|>user\n"
    assert derived.text(TALK) == known.text(TALK)


def test_specials_of_a_tokenizer_config_end_the_turn() -> None:
    tokens = {"<|im_start|>": 1, "<|im_end|>": 2, "<|reserved_7|>": 9}
    settings = {
        "chat_template": [
            {"name": "tools", "template": "?"},
            {"name": "default", "template": CHATML},
        ],
        "eos_token": {"content": "<|endoftext|>"},
        "added_tokens_decoder": {
            str(number): {"content": token, "special": True} for token, number in tokens.items()
        }
        | {"77": {"content": "user", "special": False}},
    }
    found = by_chat_template(json.dumps(settings))
    assert found.stop == ("<|im_start|>", "<|im_end|>", "<|endoftext|>")
    assert found.stop_ids == (1, 2)
    assert found.text([]) == "<|im_start|>user\n"


@pytest.mark.parametrize(
    ("content", "told"),
    [
        ("{}", "holds no chat template"),
        ("[1]", "neither a tokenizer_config.json nor a Jinja template"),
        ("{% if %}", "cannot be read"),
        ("no turns", "does not write what the user says"),
        ("{{ raise_exception('no chats') }}", "refuses these turns: no chats"),
        ('{"chat_template": "{{ messages[5].content }}"}', "refuses these turns"),
    ],
)
def test_what_gives_no_template_says_why(content: str, told: str) -> None:
    with pytest.raises(NoPreQuery, match=told):
        by_chat_template(content)


@settings(deadline=None)
@given(st.text())
def test_any_file_gives_a_template_or_says_why(content: str) -> None:
    try:
        assert isinstance(by_chat_template(content).text([]), str)
    except NoPreQuery as error:
        assert str(error)


def test_a_text_given_by_hand_takes_no_turns() -> None:
    assert as_given("User: ").text([]) == "User: "
    with pytest.raises(NoPreQuery):
        as_given("User: ").text(TALK)
