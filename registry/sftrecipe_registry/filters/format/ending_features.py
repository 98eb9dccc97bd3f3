"""The end of a text that has no final punctuation, as a model of cut ends sees it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sftrecipe_registry.filters.format.refusal_features import language_of
from sftrecipe_registry.shared.text.scripts import UNSPACED

ENDED = ".!?。！？…\"”’'」』）)]】》}`~～*|>"
"""Characters that end a text well, if nothing stands open."""
_TOKENS = re.compile(rf"[{UNSPACED}]|[^\W{UNSPACED}]+(?:'[a-z]+)?|[^\w\s]")
_STOPS = re.compile(r"[.!?](?=\s|$|[\"”')])|[。！？；]")
LISTED = re.compile(
    r"^\s*(?:[-*•·–+]|\d{1,3}\s*[.)、．:]|[（(]?(?:\d{1,3}|[一二三四五六七八九十]{1,3})[)）、]"
    r"|[a-zA-Z][.)]|[①-⑳]|第\S{1,3}[、章节步天条：:])\s*"
)
_PAIR = re.compile(r"^\s*[^:：]{1,30}[:：]\s*\S")
_SIGNED = re.compile(
    r"(?:regards|sincerely|yours|wishes|cheers|thanks|love|respectfully|faithfully|truly|hugs"
    r"|xoxo)\W*(?:\n.*){0,6}$"
    r"|(?:此致|敬礼|祝好|谨上|敬上|谨启|顺祝|敬启|落款|祝您.{0,12})\W*(?:\n.*){0,6}$",
    re.IGNORECASE,
)
_ASKS = {
    "short": re.compile(
        r"\b(?:titles?|headlines?|slogans?|taglines?|names?|hashtags?|usernames?|keywords?"
        r"|labels?|words?|classify"
        r"|categor\w+|capital|which|who|translate|command|url|subject line|convert|sort"
        r"|extract|identify|phrase|motto"
        r"|abbreviat\w+|synonyms?|antonyms?|tags?|menu|address|sentiment|poem|haiku|lyrics?"
        r"|verse|song|chorus|roman|chess|regex|commands?|fill in|blank|one sentence|short)\b"
        r"|标题|题目|口号|标语|广告语|名字|起名|标签|关键词|分类|判断|翻译|译成|提取|抽取|成语"
        r"|填空|诗|歌词|对联|春联|菜单|地址|网址|命令|哪|谁|造句|填|正则|改写|口语|几|多少",
        re.IGNORECASE,
    ),
    "code": re.compile(
        r"\b(?:code|python|javascript|sql|html|css|function|script|regex|json|bash)\b|代码"
        r"|函数|程序"
    ),
}
LETTER = re.compile(
    r"\b(?:letter|e-?mail|note|message|invitation|memo|text|reply|notice|card|sms)\b|信|邮件"
    r"|通知|短信|便条|留言|回复|公告|请柬|致辞",
    re.IGNORECASE,
)
_LAST = 12
_WORDS = (2, 4, 7, 12, 20, 35)


def ending_features(asked: str, text: str) -> tuple[str, list[str], list[str]]:
    """The language, the phrases that end the text, and marks of its shape."""
    tail = text[-160:]
    language = language_of(tail)
    tokens = _TOKENS.findall(tail.replace("’", "'").lower())
    return (
        language,
        list(_ending_phrases(tokens[-_LAST:], language)),
        [f"@{mark}" for mark in _marks(asked, text, language)],
    )


def _ending_phrases(tokens: list[str], language: str) -> Iterator[str]:
    if not tokens:
        return
    between = "" if language == "zh" else " "
    for size in range(1, min(5, len(tokens) + 1)):
        yield between.join(tokens[-size:]) + "$"
    last = tokens[-1]
    if last.isascii() and last.isalpha():
        for size in range(1, min(6, len(last) + 1)):
            yield f"…{last[-size:]}$"
        yield f"^{last[:4]}…" if len(last) > 4 else f"^{last}$"
    if re.fullmatch(r"\d+", last):
        yield "0$"


def _marks(asked: str, text: str, language: str) -> Iterator[str]:
    lines = [line for line in text.splitlines() if line.strip()]
    last = lines[-1]
    before = [line.rstrip()[-1] for line in lines[:-1]]
    listed = LISTED.match(last) is not None
    stops = list(_STOPS.finditer(last))
    tail = last[stops[-1].end() :] if stops else last
    words = len(tail) / 2 if language == "zh" else len(tail.split())
    kind = "item" if listed else "pair" if _PAIR.match(last) else "line"
    yield kind
    yield from (f"tail>{bound}" for bound in _WORDS if words > bound)
    yield from (f"{kind},tail>{bound}" for bound in _WORDS if words > bound)
    if stops:
        yield f"{kind},sentence before"
        yield "sentence before"
    ended = sum(mark in ".!?。！？；;" for mark in before)
    if before:
        share = ended / len(before)
        yield f"{kind},lines ended:{'all' if share > 0.8 else 'some' if share > 0.3 else 'few'}"
    else:
        yield f"{kind},alone"
        yield from (f"alone,tail>{bound}" for bound in _WORDS if words > bound)
        if not stops:
            yield f"alone,clauses:{min(3, len(re.findall('[,，、]', last)))}"
    paragraphs = text.rsplit("\n\n", 1)
    if len(paragraphs) > 1 and max(map(len, paragraphs[1].splitlines())) < (
        16 if language == "zh" else 32
    ):
        yield f"short paragraph,{'list' if listed else 'none'}"
        if LETTER.search(asked[:600]):
            yield "short paragraph,letter"
    if _SIGNED.search(text[-200:]):
        yield "signed"
    yield from (f"asked:{name}" for name, pattern in _ASKS.items() if pattern.search(asked[:600]))
    yield from _last_words(last, tail)


def _last_words(last: str, tail: str) -> Iterator[str]:
    word = last.rsplit(maxsplit=1)[-1]
    if word.startswith(("#", "@", "http", "www.", "/")) or "://" in word:
        yield "link"
    if word[:1].isupper():
        yield "last:capital"
    if any(character.isdigit() for character in word):
        yield "last:digit"
    if not word[-1:].isalnum():
        yield "last:symbol"
    if "=" in tail or "\\" in tail:
        yield "formula"
    if tail.strip()[:1].islower():
        yield "tail:lower"
    if last.strip()[:1].islower():
        yield "line:lower"
    if last.strip().istitle():
        yield "title"
