"""The YAML loader: positions, scalars, and nothing that breaks it."""

from __future__ import annotations

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe.errors import Position, RecipeError
from sftrecipe.recipe.reader.node import Node, place_of
from sftrecipe.recipe.reader.yaml_reader import parse_recipe

MARKS = st.text(alphabet="abon 01-.:,[]{}&*!|>'\"\\%#?\n\t\ufeff\x85\u2028é中🙂", max_size=80)


def parsed(text: str) -> Node:
    return parse_recipe(text.encode(), "recipe.yaml")


@given(
    st.one_of(st.binary(max_size=200), st.text(max_size=200).map(str.encode), MARKS.map(str.encode))
)
@settings(max_examples=1500, deadline=None)
def test_any_bytes_give_a_document_or_a_recipe_error(content: bytes) -> None:
    try:
        assert isinstance(parse_recipe(content, "recipe.yaml").plain(), dict)
    except RecipeError as error:
        assert error.problems


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers(-(10**17), 10**17) | st.text(max_size=10),
        lambda inner: (
            st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
        ),
        max_leaves=10,
    )
)
@settings(max_examples=300, deadline=None)
def test_json_reads_as_itself(value: object) -> None:
    text = json.dumps({"value": value})  # JSON is YAML; escapes of surrogate pairs are not
    if "\\ud" not in text:
        assert parsed(text).plain() == {"value": value}


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("1e-4", 1e-4),
        ("1.0E+3", 1000.0),
        ("-.5", -0.5),
        ("010", 10),
        ("0x1F", 31),
        ("0o17", 15),
        ("1_000", "1_000"),
        ("12:30", "12:30"),
        ("2026-01-01", "2026-01-01"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("~", None),
        ("", None),
        ("True", True),
        ("'true'", "true"),
        ("!!str 5", "5"),
        ("!!int '5'", 5),
        ("! 5", "5"),
        ("<<", "<<"),
    ],
)
def test_scalars_follow_yaml_1_2(text: str, value: object) -> None:
    found = parsed(f"value: {text}").plain()["value"]
    assert (type(found), found) == (type(value), value)


def test_keys_that_yaml_1_1_takes_for_booleans() -> None:
    assert parsed("on: a\nyes: b\n1: c\ntrue: d").plain() == {
        "on": "a",
        "yes": "b",
        "1": "c",
        "true": "d",
    }


def test_every_key_and_value_has_its_place() -> None:
    root = parsed(
        "\ufeff# 配方\nwith:\n  entities: {病: 疾病.yaml, 'b': [1, 2]}\n  text: |\n    x\n"
    )
    assert place_of(root, ("with", "entities", "病")) == Position("recipe.yaml", 3, 17)
    assert place_of(root, ("with", "entities", "病"), key=True) == Position("recipe.yaml", 3, 14)
    assert place_of(root, ("with", "entities", "b", 1)) == Position("recipe.yaml", 3, 35)
    assert place_of(root, ("with", "text")) == Position("recipe.yaml", 4, 9)
    assert place_of(root, ("with", "absent", "deeper")) == Position("recipe.yaml", 3, 3)


def test_aliases_unfold() -> None:
    root = parsed("a: &a {x: [1]}\nb: *a\nc: [*a, *a]")
    assert root.plain() == {"a": {"x": [1]}, "b": {"x": [1]}, "c": [{"x": [1]}, {"x": [1]}]}


def test_all_problems_at_once() -> None:
    with pytest.raises(RecipeError) as raised:
        parsed("a: !x 1\nb: 1\nb: 2\n? [k]\n: 1\nc: 99999999999999999999\n")
    assert [problem.slug for problem in raised.value.problems] == [
        "yaml-tag",
        "repeated-key",
        "yaml-key",
        "yaml-number",
    ]


@pytest.mark.parametrize(
    "content",
    [
        b"[" * 1_000_000,
        b"{a: " * 400_000,
        b"- " * 900_000,
        b"a: '" + b"x" * 1_900_000,
        b"&a [*a, *a]",
        b"? " * 500_000,
        b"a: &a [" + b"x," * 900_000 + b"]",
        b"a: |\n" + b" x\n" * 400_000 + b"b",
        b"%TAG ! tag:x,2000:\n---\n!a b",
        b"!" * 1_000_000,
        b"*" * 1_000_000,
        b"\xff\xfe" + "name: 医疗".encode("utf-16-le"),
    ],
    ids=range(12),
)
def test_hostile_documents_are_refused_quickly(content: bytes) -> None:
    start = time.process_time()
    with pytest.raises(RecipeError):
        parse_recipe(content, "recipe.yaml")
    assert time.process_time() - start < 5
