"""The file of vendors: whole, consistent, and what is read from it."""

from __future__ import annotations

import re
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sftrecipe.plugin.discovery import plugins
from sftrecipe.plugin.vendors.vendor_facts import (
    Vendor,
    facts_date,
    host_of,
    known_vendors,
    vendor_at,
    vendor_named,
    vendor_of,
)
from sftrecipe.plugin.vendors.vendor_quirks import Quirks, Switch, quirks_of, vendor_quirks
from sftrecipe.recipe.checks.secrets import belongs_to, hosts_by_variable
from sftrecipe.report.pages.vendor_page import vendor_page

ROOT = Path(__file__).parents[3]
EVERY = list(known_vendors().values())
COMPANIES = [each for each in EVERY if not each.local]
NAMED = re.compile(
    r"(?<![\w/.-])(?:gpt-\d|o[134](?:-mini)?(?=[\s\"',}])|claude-|deepseek-(?:chat|reasoner|flash|v\d)"
    r"|ernie-(?:\d|x\d|speed|lite)|qwen(?:-(?:plus|max|turbo|flash)|\d\.\d-(?:plus|max|flash))"
    r"|glm-\d|gemini-\d|kimi-|doubao-|grok-|mistral-)[A-Za-z0-9.:-]*",
    re.IGNORECASE,
)
"""Names of models that a vendor serves and may withdraw; open weights stay."""
OF_VENDORS = [
    ROOT / "README.md",
    ROOT / "README.zh.md",
    *(each for each in (ROOT / "docs").glob("*.md") if each.name != "vendors.md"),
    *(ROOT / "recipes").rglob("*.yaml"),
    *(ROOT / "engine/sftrecipe/cli/first_project").rglob("*.yaml"),
]


@pytest.mark.parametrize("vendor", EVERY, ids=lambda vendor: vendor.id)
def test_a_vendor_is_whole(vendor: Vendor) -> None:
    assert vendor.address.startswith("http://127.0.0.1" if vendor.local else "https://")
    assert not vendor.address.endswith("/")
    assert vendor.use in plugins("provider")
    assert bool(vendor.keys) is not vendor.local
    assert not vendor.abroad or vendor.abroad.startswith("https://")
    for model in vendor.models.values():
        assert not model.successor or model.retired, f"{model.name}: when?"
        named = vendor.model(model.successor)
        assert not named or not model.retired or (named.retired or date.max) > model.retired
        assert all(price.input >= (price.cached or 0) for price in model.prices)
        assert all(set(price.at) <= set(vendor.hosts) for price in model.prices)
    for rule in (vendor.quirks, *vendor.rules):
        told = set(rule) - {"models"}
        assert told <= set(Quirks.__dataclass_fields__), told
        assert rule.get("thinking", "none") in get_args(Switch)
    if vendor.example:
        known = vendor.model(vendor.example)
        assert vendor.local or (known and (known.retired or date.max) > facts_date())


def test_ids_hosts_and_keys_are_one_vendors_each() -> None:
    names = Counter(name for each in EVERY for name in (each.id, *each.also))
    hosts = Counter(host for each in COMPANIES for host in each.hosts)
    keys = Counter(key for each in EVERY for key in each.keys)
    for counted in (names, hosts, keys):
        assert max(counted.values()) == 1
    assert date(2026, 1, 1) < facts_date()
    assert belongs_to("OPENAI_API_KEY", "api.openai.com")
    assert belongs_to("QIANFAN_SECRET_KEY", "aip.baidubce.com")
    assert not belongs_to("OPENAI_API_KEY", "api.openai.com.example.org")
    assert hosts_by_variable()["DASHSCOPE_API_KEY"][0] == "dashscope.aliyuncs.com"


@given(st.sampled_from(EVERY), st.text(max_size=40), st.booleans())
def test_quirks_of_any_model(vendor: Vendor, tail: str, known: bool) -> None:
    name = next(iter(vendor.models), "m") + tail if known else tail
    quirks = quirks_of(vendor.id, "", name)
    assert quirks == vendor_quirks(vendor, name)
    assert not (quirks.always_thinks and not quirks.thinks_by_default)
    if not vendor.local:  # the address says it as well as the name
        assert quirks == quirks_of(None, vendor.address, name)
    for other in vendor.also:
        assert vendor_named(other) is vendor


@given(st.text(max_size=60))
def test_no_address_makes_trouble(address: str) -> None:
    host = host_of(address)
    assert host == host_of(host) or not host
    found = vendor_at(address)
    assert found is None or host in found.hosts


def test_quirks_as_the_vendors_tell_them() -> None:
    openai = "https://api.openai.com/v1"
    assert quirks_of(None, openai, "gpt-6-luna").rename == {"max_tokens": "max_completion_tokens"}
    assert "temperature" in quirks_of(None, openai, "gpt-6-luna").omit_when_thinking
    assert not quirks_of(None, openai, "gpt-5.4-mini").thinks_by_default
    assert quirks_of("kimi", "", "kimi-k2.6").omit >= {"temperature", "top_p"}
    assert quirks_of("qwen", "", "qwen3-32b").fixed == {"enable_thinking": False}
    assert quirks_of("qwen", "", "qwen3-235b-a22b-thinking-2507").streams_only
    assert not quirks_of("qwen", "", "qwen-plus").fixed
    assert quirks_of("glm", "", "glm-4.6").thinks_by_default
    assert quirks_of("anthropic", "", "anthropic/claude-opus-5-5").omit >= {"temperature", "top_k"}
    assert not quirks_of("anthropic", "", "anthropic/claude-sonnet-4-6").omit
    told = quirks_of("fastdeploy", "", "baidu/ERNIE-4.5-VL-28B-A3B-Paddle")
    assert (told.thinking, told.budget) == ("chat_template_kwargs", "reasoning_max_tokens")
    assert quirks_of("vllm", "", "deepseek-ai/DeepSeek-V3.1").switch == "thinking"
    assert quirks_of(None, "http://127.0.0.1:8000/v1", "gpt-6-luna") == Quirks()


def test_litellms_prefix_names_the_vendor_only_without_an_address() -> None:
    deepseek = vendor_named("deepseek")
    assert vendor_of("", "deepseek/deepseek-flash") is deepseek
    assert vendor_of("http://127.0.0.1:8000", "deepseek/deepseek-flash") is None
    assert vendor_of("https://openrouter.ai/api/v1", "deepseek/x") is vendor_named("openrouter")


def test_the_last_day_is_a_day_of_service() -> None:
    kimi = vendor_named("kimi")
    model = kimi.model("KIMI-K2-0905-preview") if kimi else None
    assert model and model.retired
    assert not model.is_retired(model.retired)
    assert model.is_retired(model.retired + timedelta(days=1))


@pytest.mark.parametrize(
    ("vendor", "model", "known"),
    [
        ("openai", "gpt-4-0613", "gpt-4"),
        ("openai", "gpt-4o-mini-2024-07-18", "gpt-4o-mini"),
        ("openai", "gpt-4o-2024-05-13", "gpt-4o-2024-05-13"),
        ("openai", "gpt-4-of-mine", None),
        ("openai", "ft:gpt-4o-mini:me", None),
        ("anthropic", "claude-sonnet-4-5-20250929", "claude-sonnet-4-5"),
        ("doubao", "doubao-seed-2-1-pro-260915", "doubao-seed-2-1-pro-260915"),
        ("doubao", "ep-20250101000000-abcde", None),
    ],
)
def test_dated_versions(vendor: str, model: str, known: str | None) -> None:
    found = known_vendors()[vendor].model(model)
    assert (found.name if found else None) == known


def test_the_page_of_vendors_is_fresh() -> None:
    written = (ROOT / "docs" / "vendors.md").read_text(encoding="utf-8")
    assert written == vendor_page(), (
        "python -m sftrecipe.report.pages.vendor_page > docs/vendors.md"
    )


def _examples() -> dict[str, str]:
    found = {str(path.relative_to(ROOT)): path.read_text(encoding="utf-8") for path in OF_VENDORS}
    every = [each for kind in ("provider", "generator", "judge") for each in plugins(kind).values()]
    return found | {each.name: each.load().example for each in every}


def test_every_model_that_is_named_is_served() -> None:
    served = {
        name.lower()
        for each in EVERY
        for name, model in each.models.items()
        if (model.retired or date.max) > facts_date()
    }
    texts = _examples()
    named = {(place, found) for place, text in texts.items() for found in NAMED.findall(text)}
    assert len(named) > 10
    wrong = {(place, name) for place, name in named if name.lower().strip(".") not in served}
    assert not wrong
