"""IFD `strict_original` against what Cherry_LLM's two scripts do, of any rows and lengths.

`data_analysis.py` stores the losses of a text's tokens, `data_by_IFD.py` finds an answer's among
them; written anew here from what they do, with a tokenizer of words and a model of hashes.
"""

from __future__ import annotations

import re
from hashlib import blake2b
from typing import Literal

from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe import Context
from sftrecipe.plugin import Answer, Request
from sftrecipe.testing import RowList
from sftrecipe_registry.methods.cherry.ifd import Ifd
from sftrecipe_registry.methods.cherry.ifd_texts import question_prompt

from ...support.plain_runs import examples
from .test_ifd import Scorer

Prompt = Literal["alpaca", "wizard"]
RESPONSE = "### Response:"
_TOKEN = re.compile(r"\w+|\s|[^\w\s]")


def tokens(text: str) -> list[str]:
    return ["<s>", *_TOKEN.findall(text)]


def losses(found: list[str]) -> list[float]:
    """Of every token but the first; of the tokens before it and itself."""
    return [
        0.5 + blake2b("|".join(found[:end]).encode(), digest_size=1).digest()[0] / 100
        for end in range(2, len(found) + 1)
    ]


def likelihoods(request: Request) -> Answer:
    """What a model says that begins every text with `<s>`."""
    before, values = len(tokens(request.prompt)), losses(tokens(request.prompt + request.answer))
    logprobs = tuple(-loss for loss in values[before - 1 :])
    return Answer("", "stop", before, len(logprobs), logprobs)


def released(row: dict[str, str], prompt: Prompt, most: int) -> float | None:
    """The row's ratio of losses; none where the scripts leave it out."""
    asked, answer = row["instruction"], row["output"]
    analysed = question_prompt(prompt, asked, row["input"])
    if prompt == "alpaca":
        asked = selected = analysed
    else:
        selected = question_prompt(prompt, asked, "")
    room = most - len(tokens(asked)[:most])
    if room <= 0:
        return None
    alone, whole = RESPONSE + answer, selected + answer
    stored = [
        losses(tokens(text)[:length])
        for text, length in ((alone, room + 4), (analysed + answer, most))
    ]
    found = []
    for text, length, values in ((alone, room + 4, stored[0]), (whole, most, stored[1])):
        begin = len(tokens(text[: text.rfind(answer)]))
        end = len(tokens(text)[:length])
        found.append((end - begin, values[begin - 1 : end - 1]))
    (direct, values_alone), (conditioned, values_after) = found
    if direct <= 0 or conditioned <= 0 or len(tokens(asked)[:most]) + direct > most:
        return None
    ratio = (sum(values_after) / len(values_after)) / (sum(values_alone) / len(values_alone))
    return ratio if ratio <= 1 else None


def words(known: list[str], most: int) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(known), min_size=1, max_size=most).map(" ".join)


SAID = words(["a", "b1", "?", "发烧", "\n", "word"], 9)
ROWS = st.fixed_dictionaries(
    {
        "instruction": SAID,
        "input": st.just("") | SAID,
        "output": words(["x", "yes", ".", "多喝水"], 12),
    }
)


@settings(max_examples=examples(100), deadline=None)
@given(st.lists(ROWS, min_size=1, max_size=4), st.data(), st.sampled_from(["wizard", "alpaca"]))
async def test_the_scores_are_those_of_the_released_scripts(
    rows: list[dict[str, str]], data: st.DataObject, prompt: Prompt
) -> None:
    longest = len(tokens(question_prompt(prompt, rows[0]["instruction"], rows[0]["input"])))
    most = data.draw(st.integers(2, longest + 30), "max_length")
    plugin = Ifd(prompt=prompt, strict_original=True, max_length=most)
    model = Scorer(likelihoods, delay=0)
    judged = plugin.judge(RowList.of(*rows), Context("ifd", models={"": model}))
    verdicts = [verdict async for verdict in judged]
    for verdict, row in zip(verdicts, rows, strict=True):
        wanted = released(row, prompt, most)
        assert verdict.keep is (wanted is not None), (verdict, wanted)
        assert wanted is None or abs((verdict.value or 0.0) - wanted) < 1e-12
    assert 2 * len(rows) <= len(model.requests) <= (3 if prompt == "wizard" else 2) * len(rows)


async def test_a_row_without_input_far_from_the_length_costs_two_calls() -> None:
    row = {"instruction": "Sort.", "input": "", "output": "1 2"}
    model = Scorer(likelihoods)
    plugin = Ifd(prompt="wizard", strict_original=True)
    judged = plugin.judge(RowList.of(row), Context("ifd", models={"": model}))
    assert len([verdict async for verdict in judged]) == 1
    assert len(model.requests) == 2
