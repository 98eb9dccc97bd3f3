"""BLEU and ROUGE against the packages that define them."""

from __future__ import annotations

import warnings

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nltk.translate.bleu_score import sentence_bleu
from rouge import Rouge
from rouge_score.rouge_scorer import RougeScorer

from sftrecipe_registry.judges.answer_measures import bleu_2, folded, rouge_sets, says
from sftrecipe_registry.shared.text.rouge import rouge_n

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d", "A", ".", "e."]), max_size=14)
TEXTS = st.one_of(
    WORDS.map(" ".join),
    st.lists(st.sampled_from(["a b c", "b. c", " a", "a  b", ".", "..", " ", "c a b a", "\n"])).map(
        ".".join
    ),
)


@given(WORDS, WORDS)
@example(["a"], ["a"])
def test_bleu_2_is_nltks(reference: list[str], answer: list[str]) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nltk's, of texts without a common pair
        theirs = sentence_bleu([reference], answer, weights=(0.5, 0.5, 0, 0))
    assert bleu_2(reference, answer) == pytest.approx(theirs, rel=1e-12, abs=1e-100)


@given(TEXTS, TEXTS)
@example("a b c d", "d c b a")
@example("a b. c", "a b. c")
def test_rouge_sets_are_the_package_rouges(target: str, prediction: str) -> None:
    ours = rouge_sets(target, prediction)
    if not target.strip(".") or not prediction.strip("."):
        assert ours == (0, 0, 0)  # the package refuses them
        return
    theirs = Rouge().get_scores(prediction, target)[0]
    assert ours == (theirs["rouge-1"]["f"], theirs["rouge-2"]["f"], theirs["rouge-l"]["f"])


@given(WORDS, WORDS, st.integers(1, 3))
def test_rouge_n_is_googles(target: list[str], prediction: list[str], size: int) -> None:
    class Words:
        """Splits at white space alone."""

        def tokenize(self, text: str) -> list[str]:
            return text.split()

    scorer = RougeScorer([f"rouge{size}"], tokenizer=Words())
    theirs = scorer.score(" ".join(target), " ".join(prediction))[f"rouge{size}"]
    ours = rouge_n(target, prediction, size)
    assert ours == pytest.approx((theirs.precision, theirs.recall, theirs.fmeasure), abs=1e-15)


@pytest.mark.parametrize(
    ("text", "fact", "stands"),
    [
        ("It is 42.", "42", True),
        ("It is 142.", "42", False),
        ("It is 420.", "42", False),
        ("Use ZORBLAX daily", "zorblax", True),
        ("zorblaxes", "zorblax", False),
        ("用４２毫克", "42毫克", True),
        ("服星露散三日", "星露散", True),
        ("A (b", "(b", True),
        ("the\n blue  sky", "blue sky", True),
    ],
)
def test_a_fact_stands_in_a_text(text: str, fact: str, stands: bool) -> None:
    assert says(text, fact) is stands


@given(st.text(), st.text())
def test_a_text_says_itself(text: str, more: str) -> None:
    assert says(text, text)
    assert says(f"{more} {text} {more}", text)
    assert folded(folded(text)) == folded(text) or text != text.casefold()
