"""Real questions, and the same with one thing changed that makes them ask something else.

python benchmarks/filters/changed_pairs.py en|zh [--number 700] > pairs.jsonl
"""

from __future__ import annotations

import argparse
import json
import random
import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path

import yaml

DATA = Path(__file__).parents[3] / "shared" / "data"
TERMS = Path(__file__).parent / "training" / "terms.yaml"
LISTS = {
    "en": (
        "llamafactory/alpaca_en_demo.json",
        "ifd/alpaca_gpt2_ifd_2000.json",
        "chatdoctor/chatdoctor_3000.json",
    ),
    "zh": ("llamafactory/alpaca_zh_demo.json",),
}
Change = Callable[[str, random.Random], str | None]
_NUMBER = re.compile(r"\d+|\b(?:two|three|four|five|ten)\b|[两三四五](?=[个种天次年篇段])")


def questions(language: str) -> list[str]:
    """What the rows ask, of a sentence or two; of long stories of patients what ends in `?`."""
    found: dict[str, None] = {}
    for name in LISTS[language]:
        for row in json.loads((DATA / name).read_text(encoding="utf-8")):
            asked = row["input"] if "chatdoctor" in name else row["instruction"]
            found.update(dict.fromkeys(filter(_brief, _parts(asked))))
    return list(found)


def _parts(asked: str) -> Iterator[str]:
    yield asked.strip()
    if len(asked) > 150:
        yield from (part.strip() for part in re.findall(r"[^.!?\n]{15,200}\?", asked))


def _brief(text: str) -> bool:
    return (10 if text.isascii() else 5) <= len(text) <= 300 and "\n" not in text


def changed_pairs(language: str, number: int) -> list[tuple[str, str, str]]:
    """Pairs of a question and a changed one, with the kind of the change: of each about as many."""
    chance = random.Random(f"{language}{number}")
    asked = questions(language)
    chance.shuffle(asked)
    kinds = _kinds(language, asked)
    found: list[tuple[str, str, str]] = []
    for kind, change in kinds.items():
        pairs = ((text, change(text, chance), kind) for text in asked)
        some = [(text, new, kind) for text, new, kind in pairs if new and new != text]
        found += some[: -(-number // len(kinds))]
    return found


def _kinds(language: str, asked: Sequence[str]) -> dict[str, Change]:
    chinese = language == "zh"
    terms = yaml.safe_load(TERMS.read_text(encoding="utf-8"))[language]
    kinds: dict[str, Change] = {
        "number": _number,
        "negation": _replacing(terms["negations"], chinese=chinese),
        "intent": _replacing(terms["intents"], chinese=chinese),
        "direction": _replacing(_both_ways(terms["directions"]), chinese=chinese),
        "noun": _noun(asked, chinese=chinese),
    }
    kinds |= {
        name: _sibling(name, words, chinese=chinese) for name, words in terms["classes"].items()
    }
    return kinds


def _number(text: str, chance: random.Random) -> str | None:
    found = [*_NUMBER.finditer(text)]
    if not found:
        return None
    place = chance.choice(found)
    old = int(place[0]) if place[0].isdigit() else 0
    new = str(chance.choice([old + 1, old * 2 + 3, old + 10])) if old else chance.choice(["6", "8"])
    return text[: place.start()] + new + text[place.end() :]


def _both_ways(pairs: Sequence[str]) -> list[str]:
    sides = [pair.split(" | ") for pair in pairs]
    return [*pairs, *(f"{right} | {left}" for left, right in sides)]


def _replacing(pairs: Sequence[str], *, chinese: bool) -> Change:
    """One phrase for another, the first time it stands."""
    every = [f"{pair} ".split(" | ") for pair in pairs]
    every = [[old, new.strip()] for old, new in every]

    def change(text: str, chance: random.Random) -> str | None:
        for old, new in chance.sample(every, len(every)):
            pattern = old if chinese else rf"\b{old}\b"
            changed = re.sub(pattern, new, text, count=1)
            if changed == text and not chinese and old[:1].islower():
                capital = rf"\b{old.capitalize()}\b"
                changed = re.sub(capital, new.capitalize(), text, count=1)
            if changed != text:
                return changed
        return None

    return change


def _sibling(name: str, words: str, *, chinese: bool) -> Change:
    """One member of a class for another."""
    members = [word.replace("_", " ") for word in words.split()]
    by_length = sorted(members, key=len, reverse=True)
    joined = "|".join(map(re.escape, by_length))
    pattern = re.compile(joined if chinese else rf"\b(?:{joined})\b", re.IGNORECASE)

    def change(text: str, chance: random.Random) -> str | None:
        found = pattern.search(text)
        if not found or found[0] == "Doctor":
            return None
        old = found[0].lower()
        new = chance.choice([each for each in members if each not in old and old not in each])
        return text.replace(found[0], new) if chinese else re.sub(rf"\b{found[0]}\b", new, text)

    return change


def _noun(asked: Sequence[str], *, chinese: bool) -> Change:
    """A word for another of the corpus whose vector is near: what a list does not know."""
    places = _chinese_nouns if chinese else _english_nouns
    counts = Counter(noun for text in asked for noun in set(places(text)))
    known = [word for word, count in counts.items() if count > 1]

    def change(text: str, chance: random.Random) -> str | None:
        nouns = [noun for noun in places(text) if counts[noun] > 1]
        if not nouns:
            return None
        old = chance.choice(nouns)
        some = [each for each in chance.sample(known, 60) if each[:3] != old[:3]]
        new = _nearest(old, [each for each in some if not set(each) & set(old) or not chinese])
        return re.sub(re.escape(old) if chinese else rf"\b{old}\b", new, text) if new else None

    return change


def _nearest(word: str, others: list[str]) -> str | None:
    vectors = _vectors()
    nearness = vectors([word]) @ vectors(others).T
    best = int(nearness[0].argmax())
    return others[best] if nearness[0, best] < 0.75 else None


@cache
def _vectors() -> Callable[..., object]:
    from sftrecipe_registry.shared.meaning.word_vectors import word_vectors  # noqa: PLC0415

    return word_vectors()


def _english_nouns(text: str) -> list[str]:
    return re.findall(r"\b(?:the|a|an|of|my|for|about)\s+([a-z]{4,})\b", text)


@cache
def _chinese_nouns(text: str) -> list[str]:
    import jieba.posseg  # noqa: PLC0415

    return [
        word
        for word, flag in jieba.posseg.cut(text)
        if flag in {"n", "nz", "ns", "nr", "vn"} and len(word) > 1
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("language", choices=["en", "zh"])
    parser.add_argument("--number", type=int, default=700)
    asked = parser.parse_args()
    for first, second, kind in changed_pairs(asked.language, asked.number):
        row = {"first": first, "second": second, "same": False, "kind": kind}
        print(json.dumps(row, ensure_ascii=False))


if __name__ == "__main__":
    main()
