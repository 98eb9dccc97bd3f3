"""One mistake, drawn from a grammar of them, in a recipe that is right: told on its line, once."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import takewhile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sftrecipe.errors import RecipeError
from sftrecipe.recipe.load import check_recipe

RECIPE = """version: 1
name: patients
language: zh
seed: 42
budget: {max_cost: 5 USD}
providers:
  teacher:
    use: vllm
    base_url: http://127.0.0.1:8000/v1
    model: qwen3
    thinking: off
sources:
  topics:
    use: jsonl
    path: topics.jsonl
    sample: 100
generate:
  - id: ask
    use: text_generation
    from: topics
    provider: teacher
    with:
      prompt: '写一个关于 {{ topic }} 的问题。'
      column: instruction
      temperature: 0.8
      raw: false
  - id: answer
    use: respond
    from: ask
    provider: teacher
filter:
  - id: short
    use: length
    on: answer
    with:
      field: output
      min_chars: 10
mix:
  weights: {answer: 1}
  total: 100
export:
  - use: llamafactory
    with:
      formatting: alpaca
      holdout: 0.1
train:
  use: llamafactory
  with:
    stage: sft
    model_name_or_path: Qwen/Qwen2.5-0.5B-Instruct
    template: qwen
    bf16: true
"""
LINES = RECIPE.splitlines()
_PAIR = re.compile(r"(?P<before> *(?:- )?)(?P<key>\w+): (?P<value>.+)")
NAMES = {"teacher", "topics", "ask", "answer", "vllm", "jsonl", "text_generation", "respond"}

Mistake = Callable[[str, "re.Match[str]"], str]


def _swapped(word: str) -> str:
    """The word with two letters in the middle exchanged, or one said twice."""
    middle = len(word) // 2
    if len(word) < 4 or word[middle - 1] == word[middle]:
        return word + word[-1]
    return word[: middle - 1] + word[middle] + word[middle - 1] + word[middle + 1 :]


def _with_value(change: Callable[[str], str]) -> Mistake:
    return lambda line, pair: line[: pair.start("value")] + change(pair["value"])


MISTAKES: dict[str, tuple[Callable[[re.Match[str]], bool], Mistake]] = {
    "key misspelt": (
        lambda pair: True,
        lambda line, pair: f"{pair['before']}{_swapped(pair['key'])}: {pair['value']}",
    ),
    "name misspelt": (
        lambda pair: pair["value"] in NAMES and pair["key"] not in ("id", "name"),
        _with_value(_swapped),
    ),
    "no space": (lambda pair: True, lambda line, pair: line.replace(": ", ":", 1)),
    "full-width colon": (lambda pair: True, lambda line, pair: line.replace(": ", "：", 1)),
    "full-width space": (
        lambda pair: pair["before"].startswith("  "),
        lambda line, pair: "\u3000" + line.removeprefix("  "),
    ),
    "tab": (
        lambda pair: pair["before"].startswith("  "),
        lambda line, pair: "\t" + line.removeprefix("  "),
    ),
    "number in words": (
        lambda pair: pair["key"] in ("seed", "sample", "min_chars", "total", "temperature"),
        _with_value(lambda value: "ten"),
    ),
    "number in quotes": (
        lambda pair: pair["key"] in ("seed", "sample", "min_chars", "total", "temperature"),
        _with_value(lambda value: f'"{value}"'),
    ),
    "percent": (
        lambda pair: pair["key"] in ("temperature", "holdout"),
        _with_value(lambda value: "80%"),
    ),
    "boolean in words": (
        lambda pair: pair["value"] in ("true", "false"),
        _with_value(lambda _: "yes"),
    ),
    "a list": (
        lambda pair: pair["key"] in ("use", "id", "name", "seed"),
        _with_value(lambda v: f"[{v}]"),
    ),
    "nothing": (lambda pair: pair["key"] in ("use", "name"), _with_value(lambda _: "")),
    "said twice": (
        lambda pair: "-" not in pair["before"],
        lambda line, pair: f"{line}\n{line}",
    ),
    "a backslash": (
        lambda pair: pair["key"] in ("path", "model", "prompt"),
        _with_value(lambda _: '"C:\\Users\\me"'),
    ),
    "an open quote": (
        lambda pair: pair["key"] in ("name", "model"),
        _with_value(lambda v: f'"{v}'),
    ),
    "no quotes": (
        lambda pair: pair["key"] == "prompt",
        _with_value(lambda v: v.strip("'{写一个关于 ")),
    ),
    "indented more": (lambda pair: True, lambda line, pair: " " + line),
}


def _indent_of(number: int) -> int:
    """Where the key of a line begins."""
    return len(re.match(r" *(?:- )?", LINES[number])[0])  # type: ignore[index]


PLACES = [
    (name, number)
    for name, (fits, _) in MISTAKES.items()
    for number, line in enumerate(LINES)
    if (pair := _PAIR.fullmatch(line)) and fits(pair)
    if name != "indented more" or (number and _indent_of(number) == _indent_of(number - 1))
]


def mistaken(name: str, number: int) -> str:
    """The recipe with a mistake on one of its lines, from 0."""
    line = LINES[number]
    pair = _PAIR.fullmatch(line)
    assert pair
    return "\n".join([*LINES[:number], MISTAKES[name][1](line, pair), *LINES[number + 1 :], ""])


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what the recipe reads, and the recipe, which is right."""
    place = tmp_path_factory.mktemp("mistakes")
    (place / "topics.jsonl").write_text('{"topic": "发烧"}\n{"topic": "咳嗽"}\n')
    (place / "recipe.yaml").write_text(RECIPE)
    check_recipe(place / "recipe.yaml")
    return place


@given(drawn=st.sampled_from(PLACES))
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_a_mistake_is_told_on_its_line_and_once(folder: Path, drawn: tuple[str, int]) -> None:
    name, number = drawn
    (folder / "recipe.yaml").write_text(mistaken(name, number))
    with pytest.raises(RecipeError) as raised:
        check_recipe(folder / "recipe.yaml")
    problems = raised.value.problems
    last = number + 2 if name == "said twice" else number + 1
    lines = {problem.position.line for problem in problems if problem.position}
    assert lines & {number + 1, last}, (name, LINES[number], problems)
    assert len(problems) <= 2, (name, LINES[number], problems)


SECTIONS_SAID = [line[:-1] for line in LINES if re.fullmatch(r"\w+:", line)]


@pytest.mark.parametrize("section", SECTIONS_SAID)
@pytest.mark.parametrize("word", ["stuff", "数据", "Section"])
def test_what_an_unknown_section_hides_is_not_told_as_missing(
    folder: Path, section: str, word: str
) -> None:
    (folder / "recipe.yaml").write_text(RECIPE.replace(f"\n{section}:\n", f"\n{word}:\n"))
    with pytest.raises(RecipeError) as raised:
        check_recipe(folder / "recipe.yaml")
    assert [each.slug for each in raised.value.problems] == ["unknown-key"]


@pytest.mark.parametrize("section", ["generate", "filter", "export"])
def test_blocks_without_dashes_are_told_once(folder: Path, section: str) -> None:
    head, _, rest = RECIPE.partition(f"\n{section}:\n")
    blocks = "".join(takewhile(lambda line: line[0] == " ", rest.splitlines(keepends=True)))
    after, plain = rest.removeprefix(blocks), blocks.replace("  - ", "    ")
    (folder / "recipe.yaml").write_text(f"{head}\n{section}:\n{plain}{after}")
    with pytest.raises(RecipeError) as raised:
        check_recipe(folder / "recipe.yaml")
    (problem,) = raised.value.problems
    assert problem.hint in ("list-items", "dash-before")


@pytest.mark.parametrize("section", ["providers", "sources"])
def test_a_block_without_a_name_is_told_once(folder: Path, section: str) -> None:
    name = {"providers": "teacher", "sources": "topics"}[section]
    (folder / "recipe.yaml").write_text(RECIPE.replace(f"\n  {name}:\n", "\n", 1))
    with pytest.raises(RecipeError) as raised:
        check_recipe(folder / "recipe.yaml")
    assert [each.slug for each in raised.value.problems] == ["block-without-name"]
