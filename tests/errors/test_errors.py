"""One recipe a slug: what `validate` says of it, in English and Chinese."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import string
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from jsonschema import Draft202012Validator

from sftrecipe import messages
from sftrecipe.cli.validate import validate
from sftrecipe.messages import en, zh
from sftrecipe.recipe import load
from sftrecipe.recipe.language.json_schema import RECIPE_FILE, schemas
from sftrecipe.recipe.reader.yaml_reader import read_recipe_file

from ..support import stand_in_plugins as stand_ins

HERE = Path(__file__).parent
CASES = sorted(folder for folder in HERE.iterdir() if (folder / "expected.txt").exists())
BIG = {"file-too-large": b"#" * 2_000_001}
SHAPE = {
    "unknown-key",
    "missing-key",
    "wrong-type",
    "out-of-range",
    "wrong-length",
    "not-a-choice",
    "bad-name",
    "bad-format",
    "bad-language",
    "bad-budget",
}
"""Slugs that the JSON Schema must refuse too."""
OF_OTHER_COMMANDS = {
    "folder-not-empty",
    "no-such-schema",
    "no-such-vendor",
    "preset-name",
    "preset-name-taken",
    "preset-several",
    "preset-is-part",
    "preset-too-large",
} | {
    f"git-{fault}"
    for fault in (
        *("failed", "missing", "no-revision", "no-path", "too-large", "too-many", "too-deep"),
        *("link", "submodule", "lfs", "name", "unreadable"),
    )
}
OF_CATALOGUES = {"unnamed-column"}
"""Slugs that need a source which reads a catalogue: tested with it."""
OF_PLUGINS = {"plugin-import", "plugin-class", "plugin-duplicate"}
"""Slugs that discovery raises, and a recipe check passes on."""
OF_PRESETS = {"preset-changed", "preset-duplicate", "preset-linked", "preset-not-in-package"}
"""Slugs that need a package, a link or what was fetched: tested with presets."""
WARNINGS = {
    "unset-environment",
    "model-withdrawn",
    "vendor-withdrawn",
    "source-note",
    "gate-few-rows",
}
"""Slugs that `validate` tells and does not refuse: the recipe is right."""


def entered(case: Path, place: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of a case's folder, entered, where the user has permitted nothing."""
    folder = place / case.name
    shutil.copytree(case, folder)
    monkeypatch.chdir(folder)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(place / "config"))
    return folder


@pytest.fixture
def case(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Path]:
    """A copy of a case's folder, entered, with the stand-in plugins."""
    folder = entered(request.param, tmp_path, monkeypatch)
    if content := BIG.get(folder.name):
        (folder / "recipe.yaml").write_bytes(content)
    monkeypatch.setenv("SET_IN_TESTS", "https://example.org/v1")
    monkeypatch.setenv("SPOILT_IN_TESTS", "Bearer sk-0123456789")
    for name in ("OPENAI_API_KEY", "QIANFAN_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    stand_ins.install(monkeypatch, twice=folder.name == "plugin-duplicate")
    yield folder
    monkeypatch.undo()
    stand_ins.forget()
    messages.user_language.cache_clear()


def run(folder: Path, language: str, *more: str) -> Result:
    """`sftrecipe validate` on a case."""
    messages.user_language.cache_clear()
    arguments = folder / "arguments"
    words = shlex.split(arguments.read_text()) if arguments.exists() else ["recipe.yaml"]
    return CliRunner(env={"SFTRECIPE_LANG": language}).invoke(
        validate, [*words, *more], standalone_mode=False
    )


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name, indirect=True)
def test_message(case: Path) -> None:
    for language, name in (("en", "expected.txt"), ("zh", "expected.zh.txt")):
        result = run(case, language)
        assert result.exception is None, result.exception
        assert result.return_value == (0 if case.name in WARNINGS else 2)
        assert result.stderr == (case / name).read_text(encoding="utf-8")
        assert f"[{case.name}]" in result.stderr


@pytest.mark.parametrize("case", CASES, ids=lambda folder: folder.name, indirect=True)
def test_json_says_the_same(case: Path) -> None:
    result = run(case, "en", "--json")
    facts = json.loads(result.stdout)
    problems = [problem for recipe in facts for problem in recipe["problems"]]
    assert case.name in {problem["slug"] for problem in problems}
    text = (case / "expected.txt").read_text(encoding="utf-8")
    assert all(problem["message"] in text for problem in problems)


@pytest.mark.parametrize(
    "case",
    [folder for folder in CASES if folder.name in SHAPE],
    ids=lambda folder: folder.name,
    indirect=True,
)
def test_schema_refuses_it_too(case: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    stand_ins.install(monkeypatch, broken=False)
    document = read_recipe_file(case / "recipe.yaml").plain()
    places = {tuple(error.absolute_path) for error in checker().iter_errors(document)}
    assert places


@cache
def checker() -> Draft202012Validator:
    """What checks by the schema with the stand-in plugins, which are installed."""
    schema = schemas()[RECIPE_FILE]
    Draft202012Validator.check_schema(schema)
    return Draft202012Validator(schema)


def test_every_slug_has_a_case() -> None:
    layer = Path(load.__file__).parent
    code = "".join(file.read_text(encoding="utf-8") for file in layer.rglob("*.py"))
    raised = {slug for slug in en.MESSAGES if f'"{slug}"' in code}
    assert {
        folder.name for folder in CASES
    } == raised - OF_OTHER_COMMANDS - OF_CATALOGUES - OF_PRESETS | OF_PLUGINS


def test_a_slug_has_one_text() -> None:
    folder = Path(en.__file__).parent
    for language in ("en", "zh"):
        texts = [file.read_text("utf-8") for file in folder.glob(f"*_{language}.py")]
        texts.append((folder / f"{language}.py").read_text("utf-8"))
        found = [
            (name, slug)
            for text in texts
            for name, body in re.findall(r"(?ms)^([A-Z_]+)(?:: [^=\n]+)? = \{\n(.*?)^\}", text)
            for slug in re.findall(r'(?m)^    "([a-z0-9-]+)":', body)
        ]
        held = [slug for name, slug in found if name not in ("HINTS", "WORDS", "SAID", "REASONS")]
        assert [slug for slug, count in Counter(held).items() if count > 1] == []


def test_catalogues_say_the_same() -> None:
    def fields(text: str) -> set[str | None]:
        return {field for _, field, _, _ in string.Formatter().parse(text) if field}

    for ours, theirs in ((en.MESSAGES, zh.MESSAGES), (en.HINTS, zh.HINTS)):
        assert ours.keys() == theirs.keys()
        for slug, text in ours.items():
            assert fields(text) == fields(theirs[slug]), slug
    assert en.WORDS.keys() == zh.WORDS.keys()


def test_messages_keep_the_style() -> None:
    for slug, text in en.MESSAGES.items():
        assert re.fullmatch(r"[a-z][a-z0-9]*(-[a-z0-9]+)*", slug)
        assert not text.endswith("."), slug
        assert not text[0].isupper() or text.startswith(("YAML", "LLaMA")), slug


WRONGLY_STEERED = """
version: 1
name: t
providers:
  p: {use: openai, model: m, base_url: "http://127.0.0.1:9/v1", api_key: "", thinking: on,
      extra: {temperature: 1, messages: [], n: 2, tools: [], stream: true, reasoning: {}, text: {},
              enable_thinking: on}, omit: [temprature, zz]}
  q: {use: openai, vendor: kimi, model: kimi-k3, thinking: off, reasoning_effort: high,
      mode: batch, stream: true}
  r: {use: embedded}
sources:
  s: {use: jsonl, path: a.jsonl}
generate:
  - {id: g, use: respond, from: s, provider: r, with: {thinking: off}}
export:
  - {use: llamafactory, with: {reasoning: drop, non_thinking: 0.3}}
"""


def test_wrong_words_of_a_request_are_told_in_chinese(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "a.jsonl").write_text('{"instruction": "a", "output": "b"}\n')
    (tmp_path / "recipe.yaml").write_text(WRONGLY_STEERED)
    monkeypatch.chdir(tmp_path)
    result = run(tmp_path, "zh")
    messages.user_language.cache_clear()
    told = [line for line in result.output.splitlines() if "错误[" in line or "提示：" in line]
    assert len(told) > 24
    for line in told:
        assert not re.search(r"\b(?:is|and|the|what|write|remove|known|that)\b", line), line
