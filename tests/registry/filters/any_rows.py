"""Rows of any kind, hostile ones among them, and a model that answers anything."""

from __future__ import annotations

from hashlib import blake2b
from typing import Any

from hypothesis import strategies as st

from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import RowList

HOSTILE = st.sampled_from(
    [
        "\x00\x1b[31m\r\n\ufeff",
        "a" * 3000,
        "1" * 3000,
        "0-" * 1000,
        "@" * 500,
        "a@" * 500,
        ":" * 500,
        "（" * 400,
        "```\n" * 101,
        "我叫" * 300,
        "As an AI " * 50,
        "\u202e\u200b\u0301" * 30,
        "I'm sorry, but " * 40,
        "13812345678" * 40,
        "8.8.8.8 11010519491231002X",
        "a lone \ud800 surrogate \udfff",
    ]
)
TEXT = st.text(st.sampled_from("abA 图片?.\n1map“”（)的@-:+"), max_size=24) | HOSTILE | st.text()
TURNS = st.lists(
    st.fixed_dictionaries({"role": st.sampled_from(["user", "assistant"]), "content": TEXT}),
    max_size=3,
)
NUMBER = st.none() | st.integers(-(10**400), 10**400) | st.integers(-3, 9) | st.floats() | TEXT
COLUMNS = st.fixed_dictionaries(
    {},
    optional={
        "instruction": st.none() | TEXT,
        "output": TEXT | st.none(),
        "history": st.none() | st.lists(st.tuples(TEXT, TEXT).map(list), max_size=2),
        "messages": TURNS,
        "finish_reason": st.sampled_from(["stop", "length", None]),
        "kind": st.sampled_from(["x", "y"]),
        "n": NUMBER,
    },
)
SCORES = st.just({}) | st.fixed_dictionaries({"s": st.floats()})


def rows_of(made: list[tuple[dict[str, Any], dict[str, float]]]) -> RowList:
    """Rows of any columns: of those that JSON has no word for the id does not matter."""
    rows = RowList.of(*({"place": place} for place in range(len(made))))
    for place, (columns, scores) in enumerate(made):
        rows[place] = rows[place]._replace(columns=columns, scores=scores)
    return rows


def answer(request: Request) -> str | Answer:
    """Anything, the same for the same request."""
    digest = blake2b(repr(request).encode("utf-8", "replace"), digest_size=8).digest()
    if request.kind == "embed":
        return Answer("", vector=tuple(byte - 100.0 for byte in digest))
    if request.kind == "reward":
        return repr(digest[0] - 100.5)
    if request.kind == "loglikelihood":
        return Answer("", logprobs=(-digest[0] / 9, -0.5))
    said = [
        "Score: 4",
        "no",
        '[{"tag": "Sleep"}, {"tag": "a-b"}]',
        '["x", "sleep", 3]',
        "Score: 9",
        "[[",
    ]
    return said[digest[0] % len(said)]
