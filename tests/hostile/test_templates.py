"""What templates may write, make and take: listed, counted and timed."""

# ruff: noqa: E501 - templates of one line
from __future__ import annotations

import os
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jinja2 import TemplateSyntaxError

from sftrecipe.errors import Position
from sftrecipe.plugin.option_types import PromptMarker
from sftrecipe.plugin.prompts.prompt import PromptFailed, compiled
from sftrecipe.recipe.checks.prompts import template_problems
from sftrecipe.record import Turn
from sftrecipe_registry.methods.magpie.pre_query import NoPreQuery, by_chat_template
from sftrecipe_registry.shared.replies.chat_template import chat_renderer

RUNS = int(os.environ.get("SFTRECIPE_TEST_RUNS", "1"))
GIVEN: dict[str, Any] = {"x": "abc", "rows": [{"q": "one", "n": 1}, {"q": "two", "n": 2.5}]}
LIMIT = 10.0
"""Processor seconds: the sandbox stops at two of the clock."""

UNWRITABLE = [
    *("{{ x.upper }}", "{{ 'a'.format }}", "{{ [x.upper] }}", "{{ {'a': x.upper} }}"),
    *("{{ x.upper ~ 'a' }}", "{{ [x.upper] | join }}", "{{ x.upper | upper }}", "{{ dict }}"),
    *("{{ x.upper | string }}", "{{ range(3) }}", "{{ namespace() }}", "{{ rows[0].items }}"),
    *("{% for i in [1] %}{{ loop }}{% endfor %}", "{% macro m() %}{% endmacro %}{{ m }}"),
    *("{{ rows | map(attribute='q') }}", "{{ self }}", "{{ x | attr('upper') }}", "{{ rows.index }}"),
    *("{{ rows[0].items() }}", "{{ x.missing }}", "{{ missing }}", "{{ x.join }}", "{{ range }}"),
]  # fmt: skip


@pytest.mark.parametrize("template", UNWRITABLE)
def test_what_is_no_text_is_not_written(template: str) -> None:
    with pytest.raises(PromptFailed) as raised:
        compiled(template).render(GIVEN)
    assert " at 0x" not in str(raised.value)


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("{{ true }} {{ 1.5 }} {{ [none, 'a'] }} {{ {'a': x} }}",
         "True 1.5 [None, 'a'] {'a': 'abc'}"),
        ("{{ x.upper() }}{{ x | title }}{{ x[1:] }}{{ x.split('b') }}", "ABCAbcbc['a', 'c']"),
        ("{% for row in rows if row.n > 1 %}{{ loop.index }}{{ row.q }}{% endfor %}", "1two"),
        ("{{ rows | map(attribute='q') | join('+') }}{{ rows | length }}", "one+two2"),
        ("{% macro m(a, b='c') %}{{ a }}{{ b }}{{ varargs }}{% endmacro %}{{ m(1, 2, 3) }}", "12(3,)"),
        ("{% set n = namespace(c=0) %}{% for r in rows %}{% set n.c = n.c + r.n %}{% endfor %}{{ n.c }}",
         "3.5"),
        ("{{ 2.345 | round(2) }}{{ '7' | int }}{{ rows | tojson }}",
         '2.357[{"q":"one","n":1},{"q":"two","n":2.5}]'),
        ("{% for r in rows recursive %}{{ r.q }}{% endfor %}{{ x is string }}{{ x in 'zabc' }}",
         "onetwoTrueTrue"),
        ("{{ missing | default('-') }}{{ '中文　全角' | replace('文', 'x') }}", "-中x　全角"),
    ],
)  # fmt: skip
def test_what_is_written(template: str, prompt: str) -> None:
    assert compiled(template).render(GIVEN) == prompt


@pytest.mark.parametrize("part", sorted(Turn.__annotations__.keys() - {"role", "content"}))
def test_a_part_that_a_turn_lacks(part: str) -> None:
    turns = {"messages": [{"role": "assistant", "content": "B"}], "q": {"content": "B"}}
    asked = f"{{% if messages[0].{part} %}}yes{{% endif %}}"
    if part == "train":  # is one where it is absent: no prompt may take it for false
        with pytest.raises(PromptFailed):
            compiled(asked).render(turns)
        return
    assert compiled(asked).render(turns) == ""
    of_no_turn = compiled(asked.replace("messages[0]", "q"))
    if part == "reasoning":  # of a row that is shown as an example
        assert of_no_turn.render(turns) == ""
        return
    with pytest.raises(PromptFailed):
        of_no_turn.render(turns)


DOUBLED = "{% set n = namespace(a=[1]) %}{% for i in range(99) %}{% set n.a = FORM %}{% endfor %}"
HEAVY = [
    *("{{ 1.5 | round(30000000, 'ceil') }}", "{{ 5 | round(-30000000) }}", "{{ 2 ** 99 ** 99 }}"),
    *("{{ (1).to_bytes(10 ** 9) }}", "{{ 'a'.center(10 ** 9) }}", "{{ x.zfill(10 ** 9) }}"),
    *("{{ ('f' * 3000000) | int(base=16) }}", "{{ '{:>1000000000}'.format(1) }}"),
    *("{{ '%1000000000d' % 1 }}", "{{ ('<' * 3000000) | striptags }}", "{{ x * 10 ** 9 }}"),
    *("{{ ('a,' * 1900000) | list | sort | unique | list }}", "{{ ('&' * 3999999) | e }}"),
    DOUBLED.replace("FORM", "[n.a, n.a]") + DOUBLED.replace("FORM", "(n.a, n.a)") + "{{ n.a == 1 }}",
    DOUBLED.replace("FORM", "dict(a=n.a, b=n.a)"),
    DOUBLED.replace("FORM", "{'a': n.a, 'b': n.a}"),
    "{% set n = namespace(a=[1]) %}{% macro m() %}{% set n.a = varargs %}{% endmacro %}"
    "{% for i in range(99) %}{{ m(n.a, n.a) }}{% endfor %}",
    "{% for a in ('a,' * 90000).split(',') recursive %}{% if loop.first or loop.last %}"
    "{{ loop(('a,' * 90000).split(',')) }}{% endif %}{% endfor %}",
    "{% set y = 'ab' * 1900000 %}" + "{% if y[1:] == 'c' %}{% endif %}" * 700,
    "{% for i in range(999) %}{% for j in range(999) %}{{ x | upper | lower }}{% endfor %}{% endfor %}",
    "{% for i in range(999) %}{% set t = ('ab ' * 99999) | title | wordcount %}{% endfor %}",
    "{% macro m(n) %}{{ m(n + 1) }}{{ m(n + 1) }}{% endmacro %}{{ m(0) }}",
    "{% for i in range(99) %}{{ ('a' * 3000000) | urlencode | length }}{% endfor %}",
]  # fmt: skip


@pytest.mark.parametrize("template", HEAVY)
def test_what_takes_too_much_is_stopped(template: str) -> None:
    started = time.process_time()
    with pytest.raises(PromptFailed):
        compiled(template).render(GIVEN)
    assert time.process_time() - started < LIMIT


@pytest.mark.parametrize(
    "template",
    [
        *("{{ a }}" * 100_000, "{% if a %}x{% endif %}" * 40_000, "{{ " + "a+" * 300_000 + "a }}"),
        *("{{ " + "(" * 300_000, "{% for x in a %}" * 60_000, "{{ a" + " | upper" * 5000 + " }}"),
        *("{{ a" + "[0]" * 3000 + " }}", "{{ a." + "b." * 3000 + "c }}", "{{ not " * 900 + "a }}"),
        *("{{ 1.5 | round(30000000, 'ceil') ", "{{ 'a'.format }}", "{{ a.format(1) }}"),
        *("{{ a | center(9) }}", "{{ a.zfill(99999999) }}"),
    ],
    ids=lambda template: template[:20],
)
def test_what_validate_refuses(template: str) -> None:
    started = time.process_time()
    place = Position("recipe.yaml", 1, 1)
    found = list(template_problems(template, None, place, PromptMarker(), frozenset({"a"})))
    assert found
    assert time.process_time() - started < LIMIT
    with pytest.raises((TemplateSyntaxError, PromptFailed)):
        compiled(template).render({"a": "x"})


def test_validate_computes_nothing() -> None:
    started = time.process_time()
    text = "{{ 1.5 | round(30000000, 'ceil') }}{{ 10 ** 10 ** 10 }}{{ 'a' * 10 ** 12 }}"
    place = Position("recipe.yaml", 1, 1)
    assert not list(template_problems(text, None, place, PromptMarker(), frozenset()))
    assert time.process_time() - started < 2


@pytest.mark.parametrize("template", HEAVY[:6])
def test_chat_templates_have_the_same_limits(template: str) -> None:
    started = time.process_time()
    with pytest.raises(NoPreQuery):
        by_chat_template("{% for m in messages %}{{ m.content }}{% endfor %}" + template)
    assert time.process_time() - started < LIMIT


def test_a_chat_template_of_the_field() -> None:
    render = chat_renderer(
        "{%- if messages[0]['role'] == 'system' -%}{{ messages[0].content | trim }}{%- endif %}\n"
        "{%- set ns = namespace(last=none) -%}\n"
        "{%- for message in messages[::-1] %}{% if loop.first %}{% set ns.last = message %}{% endif %}"
        "{% endfor %}\n{%- for message in messages %}\n"
        "{{- '<|im_start|>' + message.role + '\\n' + message.content.split('</think>')[-1].lstrip('\\n')"
        " + eos_token }}\n{%- endfor %}\n{%- if tools %}{{ tools | tojson }}{% endif %}"
        "{%- if add_generation_prompt %}{{- '<|im_start|>assistant\\n' }}{%- endif %}{{ nothing }}",
        eos_token="<|im_end|>",
    )
    text = render([{"role": "user", "content": "hi"}])
    assert text == "<|im_start|>user\nhi<|im_end|><|im_start|>assistant\n"


_PARTS = st.sampled_from(
    ["x", "rows", "n.a", "1", "9 ** 9", "'ab'", "[n.a, x]", "rows[0].q", "x * 999", "n.a ~ x",
     "(n.a, n.a)", "x.replace('a', x * 99)", "rows | map(attribute='q') | list", "n.a | list",
     "x.split('b')", "{'k': n.a}", "n.a | string", "x.upper", "dict(a=n.a)", "n.a | tojson"]
)  # fmt: skip
_STATEMENTS = st.recursive(
    st.one_of(
        _PARTS.map("{{{{ {} }}}}".format),
        _PARTS.map("{{% set n.a = {} %}}".format),
    ),
    lambda inner: st.one_of(
        st.lists(inner, min_size=1, max_size=3).map("".join),
        inner.map("{{% for i in range(999) %}}{}{{% endfor %}}".format),
        inner.map("{{% set b %}}{}{{% endset %}}{{% set n.a = b %}}".format),
        inner.map("{{% if n.a == n.a %}}{}{{% endif %}}".format),
    ),
    max_leaves=6,
)


@given(_STATEMENTS)
@settings(max_examples=25 * RUNS, deadline=None)
def test_any_template_ends(body: str) -> None:
    started = time.process_time()
    try:
        text = compiled("{% set n = namespace(a='a') %}" + body).render(GIVEN)
    except PromptFailed:
        text = ""
    assert time.process_time() - started < LIMIT
    assert " at 0x" not in text
