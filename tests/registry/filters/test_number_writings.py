"""A number written otherwise is the same question, another number is a different one."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from tests.registry.filters.judging import judged

from sftrecipe import Context, Verdict
from sftrecipe.testing import RowList
from sftrecipe_registry.filters.repeats.decontaminate import Decontaminate
from sftrecipe_registry.filters.repeats.plain_numbers import plain_numbers

ONES = [
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
]
TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
DIGITS = "零一二三四五六七八九"
ENGLISH = "A farm sells {0} apples and {1} pears every week. How many weeks until all {2} are gone?"
CHINESE = "某农场每周卖出{0}个苹果和{1}个梨，仓库里一共有{2}个水果，几周以后全部卖完？"


def in_english(value: int) -> str:
    """The number in words."""
    if value < 20:
        return ONES[value]
    if value < 100:
        tens, ones = divmod(value, 10)
        return TENS[tens - 2] + (f"-{ONES[ones]}" if ones else "")
    size, name = (1000, "thousand") if value >= 1000 else (100, "hundred")
    count, rest = divmod(value, size)
    joined = f" and {in_english(rest)}" if 0 < rest < 100 else f" {in_english(rest)}" * bool(rest)
    return f"{in_english(count)} {name}{joined}"


def in_chinese(value: int) -> str:
    """The number in Chinese numerals."""
    if value < 10:
        return DIGITS[value]
    for size, name in ((10_000, "万"), (1000, "千"), (100, "百"), (10, "十")):
        count, rest = divmod(value, size)
        if count:
            head = "" if (size, count) == (10, 1) else in_chinese(count)
            gap = "零" if 0 < rest < size // 10 else ""
            tail = in_chinese(rest) if rest else ""
            return head + name + gap + ("一" if tail.startswith("十") else "") + tail
    raise AssertionError(value)


def writings(value: int, *, chinese: bool) -> list[str]:
    """How a number may be written."""
    wide = str(value).translate({code: code + 0xFEE0 for code in range(0x30, 0x3A)})
    return [str(value), f"{value:,}", wide, (in_chinese if chinese else in_english)(value)]


NUMBERS = st.lists(st.integers(3, 60_000), min_size=3, max_size=3, unique=True)
STYLES = st.lists(st.integers(0, 3), min_size=3, max_size=3)


def written(numbers: list[int], styles: list[int], *, chinese: bool) -> str:
    """The question with its numbers in these styles."""
    parts = [
        writings(value, chinese=chinese)[style]
        for value, style in zip(numbers, styles, strict=True)
    ]
    return (CHINESE if chinese else ENGLISH).format(*parts)


def verdict(question: str, asked: str) -> Verdict:
    """Of a row that asks this where a benchmark asks that."""
    context = Context("x", streams={"exam": RowList.of({"question": question})})
    (found,) = judged(Decontaminate(against=("exam",)), RowList.of({"instruction": asked}), context)
    return found


@given(NUMBERS, STYLES, STYLES, st.booleans())
def test_equal_values_are_found(
    numbers: list[int], styles: list[int], others: list[int], chinese: bool
) -> None:
    question = written(numbers, styles, chinese=chinese)
    asked = written(numbers, others, chinese=chinese)
    assert not verdict(question, f"Hi! {asked}").keep


@given(NUMBERS, NUMBERS, STYLES, STYLES, st.booleans())
def test_other_values_are_another_question(
    numbers: list[int], other: list[int], styles: list[int], others: list[int], chinese: bool
) -> None:
    question = written(numbers, styles, chinese=chinese)
    asked = written(other, others, chinese=chinese)
    assert verdict(question, asked).keep or numbers == other


@given(st.integers(2, 9), st.integers(3, 10))
def test_fractions_and_percents(count: int, parts: int) -> None:
    names = ["third", "quarter", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth"]
    plain = plain_numbers(f"{count}/{parts}")
    assert plain_numbers(f"{in_english(count)} {names[parts - 3]}s") == plain
    assert plain_numbers(f"{in_chinese(parts)}分之{in_chinese(count)}") == plain
    percents = (f"{count * 7}%", f"{in_english(count * 7)} percent", f"{count * 7} per cent")
    assert {plain_numbers(each) for each in percents} == {f"{count * 7}%"}
    assert plain_numbers(f"百分之{in_chinese(count * 7)}") == f"{count * 7}%"


@given(st.text(max_size=60))
def test_plain_numbers_are_plain(text: str) -> None:
    plain_numbers(text)
