"""Recipes from a stranger: refused before anything is read, sent or run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sftrecipe.errors import RecipeError, SftrecipeError
from sftrecipe.plugin.prompts.prompt import PromptFailed, compiled
from sftrecipe.recipe.checks.secrets import allowed_keys
from sftrecipe.recipe.load import check_recipe
from sftrecipe.report.text.problem_text import render
from sftrecipe.store.project import Project

from ..support import stand_in_plugins as stand_ins

HEAD = "version: 1\nname: hostile\n"


@pytest.fixture(autouse=True)
def plugins(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("OPENAI_API_KEY", "sk-secret")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "aws-secret")
    stand_ins.install(monkeypatch)
    yield
    monkeypatch.undo()
    stand_ins.forget()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "secret.jsonl").write_text('{"instruction": "secret"}\n')
    (tmp_path / "secret.j2").write_text("secret")
    inside = tmp_path / "recipe"
    inside.mkdir()
    return inside


def slugs(folder: Path, text: str, **options: object) -> set[str]:
    file = folder / "recipe.yaml"
    file.write_text(HEAD + text, encoding="utf-8")
    try:
        check_recipe(file, **options)  # type: ignore[arg-type]
    except RecipeError as error:
        assert "sk-secret" not in str(error)
        assert "aws-secret" not in str(error)
        return {problem.slug for problem in error.problems}
    return set()


@pytest.mark.parametrize(
    "value",
    [
        "!!python/object/apply:os.system ['touch /tmp/owned']",
        "!!python/name:os.system",
        "!!binary aGk=",
        "!!set {a}",
        "!include /etc/passwd",
        "!<tag:example.org,2026:x> y",
    ],
)
def test_tags(folder: Path, value: str) -> None:
    assert slugs(folder, f"description: {value}") == {"yaml-tag"}


@pytest.mark.parametrize(
    "path", ["../secret.jsonl", "data/../../secret.jsonl", "/etc/hostname", "~/../../etc/hostname"]
)
def test_paths_out_of_the_folder(folder: Path, path: str) -> None:
    assert slugs(folder, f"sources: {{x: {{use: jsonl, path: '{path}'}}}}") <= {
        "path-outside",
        "missing-file",
    }
    assert slugs(folder, f"sources: {{x: {{use: jsonl, path: '{path}'}}}}")


def test_links_out_of_the_folder(folder: Path) -> None:
    (folder / "inner.jsonl").symlink_to(folder.parent / "secret.jsonl")
    (folder / "up").symlink_to(folder.parent)
    (folder / "loop").symlink_to(folder / "loop")
    for path, slug in (
        ("inner.jsonl", "path-outside"),
        ("up/secret.jsonl", "path-outside"),
        ("loop", "missing-file"),
    ):
        assert slugs(folder, f"sources: {{x: {{use: jsonl, path: {path}}}}}") == {slug}
    allowed = [folder.parent]
    assert not slugs(folder, "sources: {x: {use: jsonl, path: inner.jsonl}}", allow_paths=allowed)


@pytest.mark.parametrize("link", ["runs", "runs/x", ".sftrecipe", ".sftrecipe/ledger.sqlite"])
def test_links_to_write_through(folder: Path, link: str) -> None:
    (folder / link).parent.mkdir(exist_ok=True)
    (folder / link).symlink_to(folder.parent)
    project = Project(folder)
    with pytest.raises(SftrecipeError, match="linked"):
        _ = project.ledger, project.run_folder("x")


def test_a_file_that_may_not_be_read_is_not_read(folder: Path) -> None:
    text = "providers: {t: {use: embedded}}\ngenerate: [{id: a, use: self_instruct, provider: t, "
    assert slugs(folder, text + "with: {template: ../secret.j2}}]") == {"path-outside"}
    assert slugs(folder, "extends: ../secret.j2") == {"path-outside"}


@pytest.mark.parametrize(
    "template",
    [
        "{{ ''.__class__ }}",
        "{{ examples['__class__'] }}",
        "{{ examples | attr('__class__') }}",
        "{{ examples | attr('__cla' ~ 'ss__') }}",
        "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
        "{{ self._TemplateReference__context }}",
        "{% set x = examples.__init__ %}{{ x }}",
    ],
)
def test_templates_that_reach_out(folder: Path, template: str) -> None:
    text = (
        "providers: {t: {use: embedded}}\ngenerate:\n- id: a\n  use: self_instruct\n  provider: t\n"
    )
    assert "template-private" in slugs(folder, text + f'  with: {{template: "{template}"}}')


@pytest.mark.parametrize(
    "template",
    [
        "{{ 'a' * 10 ** 10 }}",
        "{{ 10 ** 10 ** 10 }}",
        "{{ [1] * 999999999 }}",
        "{{ 999999999 * 'a' }}",
        "{{ x.__class__ }}",
        "{{ ''['__cla' + 'ss__'] }}",
        "{{ x.append(1) }}",
        "{% set n = namespace(a='x') %}{% for i in range(99) %}"
        "{% set n.a = n.a ~ n.a %}{% endfor %}",
        "{% set n = namespace(a='x') %}{% for i in range(99) %}"
        "{% set n.a = n.a + n.a %}{% endfor %}",
        "{% set n = namespace(a=9) %}{% for i in range(99) %}{% set n.a = n.a * n.a %}{% endfor %}",
        "{% set n = namespace(a='x') %}{% for i in range(99) %}"
        "{% set c %}{{ n.a }}{{ n.a }}{% endset %}{% set n.a = c %}{% endfor %}",
        "{% set n = namespace(a='x') %}{% for i in range(99) %}{% set n.a = [n.a, n.a] %}"
        "{% endfor %}{{ n.a }}",
        "{{ 'x'.join(['a' * 90000] * 90000) }}",
        "{{ (['a' * 90000] * 90000) | join }}",
        "{{ 'a' | replace('', 'a' * 99999) | replace('', 'a' * 99999) }}",
        "{{ ('a' * 99999).replace('a', 'a' * 99999) }}",
        "{% for a in range(999) %}{% for b in range(999) %}{% for c in range(999) %}"
        "{% endfor %}{% endfor %}{% endfor %}",
        "{% macro m(n) %}{% if n %}{{ m(n - 1) }}{{ m(n - 1) }}{% endif %}{% endmacro %}"
        "{{ m(60) }}",
        "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    ],
)
def test_templates_that_the_sandbox_stops(template: str) -> None:
    with pytest.raises(PromptFailed):
        compiled(template).render({"x": []})


@pytest.mark.parametrize(
    ("template", "prompt"),
    [
        ("{% for i in range(3) %}{{ loop.index }}/{{ loop.length }} {% endfor %}", "1/3 2/3 3/3 "),
        ("{{ x | join(', ') }}{{ '-'.join(x) }}", "a, ba-b"),
        ("{{ rows | join('; ', attribute='q') }}", "1; 2"),
        ("{{ 'aXbX' | replace('X', 'é', 1) }}{{ 'aX'.replace('X', '') }}", "aébXa"),
        ("{{ 1 ~ '号' ~ x }}{{ x | tojson }}", """1号['a', 'b']["a","b"]"""),
        ("{% for a, b in {'k': 1}.items() recursive %}{{ a }}{{ b }}{% else %}n{% endfor %}", "k1"),
    ],
)
def test_templates_that_the_sandbox_fills(template: str, prompt: str) -> None:
    assert compiled(template).render({"x": ["a", "b"], "rows": [{"q": 1}, {"q": 2}]}) == prompt


@pytest.mark.parametrize(
    "name", ["../x", "/tmp/x", "a/b", "..", ".hidden", "a\\b", "", " ", "x" * 65, "a\nb"]
)
def test_names_that_are_paths(folder: Path, name: str) -> None:
    file = folder / "recipe.yaml"
    file.write_text(f"version: 1\nname: {json.dumps(name)}\n")
    with pytest.raises(RecipeError) as raised:
        check_recipe(file)
    assert {problem.slug for problem in raised.value.problems} == {"bad-name"}


@pytest.mark.parametrize(
    "text",
    [
        "description: ${env:OPENAI_API_KEY}",
        "vars: {x: '${env:OPENAI_API_KEY}'}",
        "train: {use: llamafactory, with: {stage: '${env:OPENAI_API_KEY}'}}",
        "sources: {x: {use: jsonl, path: '${env:OPENAI_API_KEY}'}}",
        "providers: {t: {use: openai, model: '${env:OPENAI_API_KEY}', api_key: none}}",
        "providers: {t: {use: '${env:OPENAI_API_KEY}'}}",
        "profiles: {p: {description: '${env:OPENAI_API_KEY}'}}",
    ],
)
def test_variables_outside_of_providers(folder: Path, text: str) -> None:
    assert "environment-place" in slugs(folder, text)


@pytest.mark.parametrize(
    ("options", "slug"),
    [
        ("base_url: https://evil.example/v1", "key-host"),
        ("base_url: https://api.openai.com.evil.example/v1", "key-host"),
        ("base_url: https://evil.example/api.openai.com", "key-host"),
        ("base_url: 'https://api.openai.com@evil.example/v1'", "bad-url"),
        ("base_url: 'https://evil.example\\@api.openai.com/v1'", "bad-url"),
        ("base_url: 'https://evil.example#@api.openai.com/v1'", "bad-url"),
        ("base_url: 'https://api.openai.com\\evil.example/v1'", "bad-url"),
        ("base_url: ' https://evil.example/v1'", "bad-url"),
        ("base_url: 'file:///etc/passwd'", "bad-url"),
        ("base_url: http://api.openai.com/v1", "key-unencrypted"),
        ("base_url: https://evil.example/, api_key: '${env:AWS_SECRET_ACCESS_KEY}'", "key-host"),
        ("api_key: '${env:AWS_SECRET_ACCESS_KEY}'", "key-host"),
        ("base_url: '${env:OPENAI_API_KEY}', api_key: none", "bad-url"),
        ("base_url: 'https://evil.example/${env:OPENAI_API_KEY}', api_key: x", "environment-mixed"),
        (
            "base_url: 'https://${env:OPENAI_API_KEY}.evil.example/', api_key: x",
            "environment-mixed",
        ),
        ("base_url: '${ env:OPENAI_API_KEY }', api_key: x", "environment-mixed"),
    ],
)
def test_keys_to_strangers(folder: Path, options: str, slug: str) -> None:
    assert slug in slugs(folder, f"providers: {{t: {{use: openai, model: m, {options}}}}}")


@pytest.mark.parametrize("host", ["localhost:8000", "127.0.0.1", "127.1.2.3", "[::1]:80"])
def test_this_machine_may_have_any_key(folder: Path, host: str) -> None:
    assert not slugs(
        folder, f"providers: {{t: {{use: openai, model: m, base_url: 'http://{host}/'}}}}"
    )


def test_the_user_may_allow_a_pair_once(folder: Path) -> None:
    text = "providers: {t: {use: openai, model: m, base_url: 'https://proxy.example/v1'}}"
    assert slugs(folder, text) == {"key-host"}
    assert not slugs(folder, text, allow_keys=[("OPENAI_API_KEY", "proxy.example")])
    assert not slugs(folder, text)
    assert allowed_keys() == {("OPENAI_API_KEY", "proxy.example")}
    assert slugs(folder, text.replace("proxy", "other")) == {"key-host"}


def test_a_spoilt_file_of_allowed_pairs_allows_nothing(folder: Path, tmp_path: Path) -> None:
    file = tmp_path / "config" / "sftrecipe" / "allowed_keys.json"
    file.parent.mkdir(parents=True)
    for content in ("", "[]", "{", '{"OPENAI_API_KEY": 3}', "\xff"):
        file.write_text(content, encoding="latin-1")
        assert allowed_keys() == set()


def test_regular_expressions_that_explode(folder: Path) -> None:
    text = "sources: {s: {use: jsonl, path: s.jsonl}}\n"
    text += "filter: [{use: regex, with: {drop: ['(a+)+$']}}]"
    (folder / "s.jsonl").write_text('{"a": 1}\n')
    assert slugs(folder, text) == {"regex-explodes"}


def test_control_characters_do_not_reach_the_terminal(folder: Path) -> None:
    file = folder / "recipe.yaml"
    file.write_text(HEAD + '"\\e[31mred\\u202e": 1\n# \u202e\n', encoding="utf-8")
    with pytest.raises(RecipeError) as raised:
        check_recipe(file)
    shown = render(raised.value.problems)
    assert "\x1b" not in shown
    assert "\u202e" not in shown
