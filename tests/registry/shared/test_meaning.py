"""The rule that says whether two similar texts differ in a fact."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe_registry.shared.meaning.difference import difference, other_terms, says_the_same

QUESTIONS = [
    "How much ibuprofen may I take before 8 hours are over?",
    "What are the early symptoms of a stroke in men over 50?",
    "Write a Python function that returns the 3 largest numbers of a list.",
    "Why is the left knee swollen 2 weeks after surgery?",
    "Translate the text from English into German in 100 words.",
    "糖尿病患者每天可以吃几次水果？",
    "手术前3天要停用阿司匹林吗？",
    "写一首关于秋天的短诗，不超过40字。",
    "为什么左膝盖术后2周还肿？",
    "高血压和低血压有什么区别？",
]
GREETINGS = [
    "Hello doctor, {}",
    "Hi! {} Thanks a lot",
    "Good morning. Could you please help me: {}",
    "{} Any help would be appreciated.",
    "Question: {}",
]
CHINESE_GREETINGS = [
    "您好，{}",
    "医生你好，请问{}谢谢！",
    "{}麻烦您了",
    "问题：{}",
    "想请教一下，{}多谢",
]
TEXTS = st.one_of(
    st.sampled_from(QUESTIONS),
    st.text("ab 二3不左.,?notİß度", max_size=30),
    st.lists(
        st.sampled_from(
            [
                "not",
                "without",
                "two",
                "2",
                "5mg",
                "before",
                "after",
                "left",
                "high",
                *"不没二前后高低",
            ]
        ),
        max_size=8,
    ).map(" ".join),
)


@given(first=TEXTS, second=TEXTS)
@settings(max_examples=400, deadline=None)
def test_it_is_symmetric(first: str, second: str) -> None:
    assert (difference(first, second) is None) is (difference(second, first) is None)
    assert (difference(first, second) is None) is says_the_same(first, second)
    assert (other_terms(first, second) is None) is (other_terms(second, first) is None)


@given(text=TEXTS)
@settings(max_examples=200, deadline=None)
def test_a_text_differs_from_itself_in_nothing(text: str) -> None:
    assert difference(text, text) is None
    assert difference(text, text.upper()) is None or not text.isascii()
    assert says_the_same(text, f"  {text} ")


@given(question=st.sampled_from(QUESTIONS), at=st.integers(0, 4))
@settings(max_examples=100, deadline=None)
def test_a_greeting_is_no_fact(question: str, at: int) -> None:
    frames = GREETINGS if question.isascii() else CHINESE_GREETINGS
    assert difference(question, frames[at].format(question)) is None


@given(
    question=st.sampled_from([text for text in QUESTIONS if re.search(r"\d", text)]),
    number=st.integers(2, 10_000),
)
@settings(max_examples=200, deadline=None)
def test_another_number_always_is(question: str, number: int) -> None:
    found = re.search(r"\d+", question)
    assert found
    changed = question.replace(found[0], str(number))
    assert (difference(question, changed) is None) is (int(found[0]) == number)


SAME = [
    ("Give me two tips.", "Give me 2 tips"),
    ("百分之五的盐水", "5%的盐水"),
    ("每次二十毫克", "每次20毫克"),
    ("每次吃20mg", "每次吃20毫克"),
    ("I can't sleep at night.", "I am unable to sleep at night."),
    ("What color is it?", "What colour is it?"),
    ("How can I ease a sore throat?", "How do I relieve a sore throat?"),
    ("高血壓患者可以吃鹽嗎？", "高血压患者可以吃盐吗？"),
    ("头疼怎么办", "头痛如何缓解"),
    ("Compare cats and dogs.", "Compare dogs and cats."),
]
OTHER = [
    ("Is it safe to take aspirin?", "Is it unsafe to take aspirin?", "negation"),
    ("Can I eat with a fever?", "Can I eat without a fever?", "negation"),
    ("孕妇可以喝咖啡吗", "孕妇不可以喝咖啡吗", "negation"),
    ("What causes hyperkalemia?", "What causes hypokalemia?", "opposite"),
    ("Pain in the left arm", "Pain in the right arm", "opposite"),
    ("血钠增高", "血钠降低", "opposite"),
    ("术前注意什么", "术后注意什么", "opposite"),
    ("Take 5 mg daily", "Take 5 g daily", "number"),
    ("Take two tablets", "Take three tablets", "number"),
    ("每天三次", "每天两次", "number"),
    ("Why did Rome fall?", "When did Rome fall?", "intent"),
    ("布洛芬为什么伤胃", "布洛芬什么时候伤胃", "intent"),
    ("Symptoms of asthma", "Symptoms of psoriasis", "word"),
    ("Python怎么读文件", "Go怎么读文件", "word"),
    ("Translate it from English to German", "Translate it from German to English", "order"),
    ("狗咬了人", "人咬了狗", "order"),
]


@pytest.mark.parametrize(("first", "second"), SAME)
def test_the_same(first: str, second: str) -> None:
    assert difference(first, second) is None


@pytest.mark.parametrize(("first", "second", "kind"), OTHER)
def test_another_fact(first: str, second: str, kind: str) -> None:
    found = difference(first, second)
    assert found is not None
    assert found.kind == kind, found


def test_words_that_are_added_are_no_other_terms() -> None:
    assert other_terms("Write a poem on rain.", "Write a poem on rain for school.") is None
    told = other_terms("Write a poem on rain.", "Write a poem on snow.")
    assert str(told) == "word: rain / snow"
