"""What a text says of whether it declines: its phrases, and marks of its shape and question."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import chain
from operator import add
from typing import NamedTuple

from sftrecipe_registry.filters.format.refusal_signs import sign_marks
from sftrecipe_registry.filters.format.substance import said_by_refusals, substance_marks
from sftrecipe_registry.shared.text.case_folding import fold, folded
from sftrecipe_registry.shared.text.scripts import UNSPACED

_ASCII_TOKENS = re.compile(r"[a-z0]+(?:'[a-z]+)*|[^\w\s]")
_TOKENS = re.compile(rf"[{UNSPACED}]|[a-z0]+(?:'[a-z]+)*|\d+|[^\w\s]")
_DIGITS = re.compile(r"\d+(?:[.,]\d+)*")
_HAN = re.compile(rf"[{UNSPACED}]+")
_WIDE = str.maketrans({",": "，", "!": "！", "?": "？", ":": "：", ";": "；", "’": "'"})
"""Chinese is written with either kind of mark."""
_FIRST, _LAST = 60, 30
"""Words of the beginning and of the end that are looked at; of Chinese twice as many characters."""
_STEPS = (3, 6, 10, 16, 25, 40, 60, 90, 130)
"""Bounds of the length in words: two Chinese characters count as one."""

_QUESTIONS = {
    "writes": r"\b(?:write|compose|draft|create|generate|rewrite|rephrase|paraphrase|edit|continue"
    r"|complete|reply|respond|role ?-?play|pretend)\b|写|撰|编|造句|续写|改写|润色|回复|拟"
    r"|创作|扮演",
    "letter": r"\b(?:letters?|e-?mails?|messages?|texts?|notes?|memos?|scripts?|repl(?:y|ies)"
    r"|response"
    r"|notice|announcement|sms|statement|disclaimer|tweet|review|customers?|clients?)\b"
    r"|信|邮件|短信|公告|通知|话术|客服|客户|回复|声明|留言|评论|文案",
    "fiction": r"\b(?:story|scene|dialogues?|conversation|novel|poem|lines?|song|play|fiction|joke"
    r"|character|quote|monologue|limerick|haiku)\b|故事|对话|小说|台词|诗|剧|情节|笑话|人物"
    r"|片段|独白",
    "language": r"\b(?:translat\w+|in (?:english|chinese|french|spanish|german)|grammar|sentence"
    r"|correct|idiom|phrase|word|past tense|synonyms?|proofread)\b"
    r"|翻译|译成|译为|英文|中文|语法|句子|造句|成语|词语|病句|语病",
    "label": r"\b(?:classify|categori[sz]e|sentiment|label|identify|extract|detect|true or false"
    r"|which of)\b|分类|情感|归类|判断|识别|抽取|提取|标签|意图",
    "passage": r"\b(?:according to|the (?:text|passage|article|context|paragraph|note|report|table"
    r"|contract|document)|based on|given (?:the|this)|summari[sz]e)\b"
    r"|根据|原文|文中|短文|阅读|文章|材料|文档|下文|上下文|总结|概括",
    "you": r"\b(?:you|your|ai|chatbots?|language models?|assistants?|llms?|gpt\w*|chatgpt)\b"
    r"|你|您|机器人|人工智能|语言模型|大模型|AI",
    "refuses": r"\b(?:refus\w*|declin\w*|reject\w*|sorry|apolog\w*|can'?t|cannot|unable"
    r"|unfortunately"
    r"|turn(?:s|ing)? down|say(?:ing)? no|impossible|not possible|can not|not able|no longer"
    r"|lo siento"
    r"|no pued\w+|désolé\w*|ne (?:peux|peut|pouvons|puis)|leider|kann nicht|können wir"
    r"|sinto muito|non posso"
    r"|beyond|not interested|won'?t|will not|don'?t|do not|no time|busy|unavailable)\b|申し訳"
    r"|できません|すみません|죄송"
    r"|拒绝|拒答|婉拒|谢绝|道歉|抱歉|对不起|无法|不能|不可以|遗憾|推辞|回绝",
    "translates": r"\btranslat\w+|\b(?:into|in|to) (?:english|chinese|french|spanish|german"
    r"|japanese)\b"
    r"|翻译|译成|译为|用(?:英|中|法|日|德)(?:文|语)",
    "rewrites": r"\b(?:rewrite|rephrase|reword|paraphrase|formal\w*|polite\w*|nicely"
    r"|friendlier|shorten|correct"
    r"|fix|proofread|grammar|punctuat\w+|in a sentence|sentences?\b|negative|opposite"
    r"|sentence with|using the (?:word|phrase)|example (?:of|sentence)"
    r"|tagline|slogan|auto-?reply|out.of.office|template)\b|改写|改为|改成|换一种|委婉|礼貌"
    r"|正式|造句|改正|病句|润色|例句"
    r"|自动回复|模板|标语|口号|广告语|扩写|缩写|缩短|写一句|一句话|意思|解释一下|\bmean(?:s"
    r"|ing)?\b|toast|one-liner|examples",
    "asks": r"[?？]\s*$",
    "image": r"\b(?:image|picture|photo|photograph|video|audio|attach\w*|recording|link|url"
    r"|https?)\b"
    r"|图|照片|视频|音频|附件|链接|录音",
    "now": r"\b(?:today|now|right now|current(?:ly)?|latest|tonight|tomorrow|this week"
    r"|yesterday)\b"
    r"|今天|现在|目前|最新|昨天|明天|实时|最近",
}
_ANSWERS = {
    "quoted": r"\A\s*[\"“「『'‘]",
    "greeted": r"\A\s*(?:dear|hi\b|hello|hey|good (?:morning|evening)|尊敬的|亲爱的|您好|你好"
    r"|各位)",
    "signed": r"\b(?:regards|sincerely|yours|best wishes|cheers|love),?\s*\S*[\s\S]{0,60}\Z"
    r"|此致|敬礼|谨上|敬上",
    "speaker": r"^\s*\*{0,2}[A-Z\u4e00-\u9fff][\w\u4e00-\u9fff ]{0,14}\*{0,2}[:：]",
    "list": r"^\s*(?:[-*•]|\d+[.)、])[ \t]*\S[^\n]*\n\s*(?:[-*•]|\d+[.)、])[ \t]*\S",
    "code": r"```|`[^`\n]+`",
    "said": r"\b(?:said|replied|whispered|asked|muttered)\b|[说道答]：",
    "numbers": r"\A(?:\D*\d+){3}",
    "but": r"[.,;，。；] *(?:but|however|that said|still|nevertheless|instead|here(?:'s| is| are)"
    r"|但|不过|然而|可是|只是|下面|以下|一般来说|通常)",
}
_ASKED = {f"asked:{name}": folded(pattern).search for name, pattern in _QUESTIONS.items()}
_ANSWERED = {
    f"answer:{name}": folded(pattern, re.MULTILINE).search for name, pattern in _ANSWERS.items()
}
_ASKED_SHOWN = 300
"""Characters of the beginning and of the end of what was asked that are looked at."""


def language_of(text: str) -> str:
    """`zh` where a fifth of the characters are Chinese, else `en`."""
    if text.isascii():
        return "en"
    return "zh" if sum(map(len, _HAN.findall(text))) * 5 > len(text) else "en"


class Said(NamedTuple):
    """What is cheap to tell of an answer: its phrases, and how much of it is of its own."""

    language: str
    answer: str
    words: float
    phrases: list[str]
    marks: list[str]


def said_features(asked: str, answer: str, said: frozenset[str] | None = None) -> Said:
    """`said`: the stems that refusals share, of training without some rows; or as shipped."""
    language = language_of(answer)
    answer = answer.translate(_WIDE) if language == "zh" else answer.replace("’", "'")
    plain = _DIGITS.sub("0", answer.lower())
    tokens = (_ASCII_TOKENS if plain.isascii() else _TOKENS).findall(plain)
    longest, factor = (4, 2) if language == "zh" else (3, 1)
    known = said_by_refusals(language) if said is None else said
    return Said(
        language,
        answer,
        len(tokens) / factor,
        list(phrases(_ends(tokens, factor), longest, "" if language == "zh" else " ")),
        [f"@{mark}" for mark in substance_marks(asked, answer, known)],
    )


def shape_marks(asked: str, said: Said) -> list[str]:
    """The question's and the answer's marks, and the signs in its sentences."""
    shape = chain(_marks(asked, said.answer, said.words), sign_marks(said.answer, said.language))
    return [f"@{mark}" for mark in _crossed(shape)]


def refusal_features(
    asked: str, answer: str, said: frozenset[str] | None = None
) -> tuple[list[str], list[str]]:
    """All that the model sees: phrases and marks."""
    found = said_features(asked, answer, said)
    return found.phrases, found.marks + shape_marks(asked, found)


def phrases(tokens: list[str], longest: int, between: str) -> Iterator[str]:
    """All runs of up to so many tokens, the text's beginning and end marked."""
    row = ["^", *tokens, "$"]
    yield from row
    runs, following = row, [between + token for token in row]
    for size in range(1, longest):
        runs = [*map(add, runs, following[size:])]
        yield from runs


def _crossed(marks: Iterator[str]) -> Iterator[str]:
    """The marks, and each of the question's beside an answer that declines."""
    kept = list(marks)
    yield from kept
    if "declines" in kept:
        yield from (f"declines,{mark}" for mark in kept if mark.startswith("asked:"))


def _ends(tokens: list[str], factor: int) -> list[str]:
    first, last = _FIRST * factor, _LAST * factor
    if len(tokens) <= first + last:
        return tokens
    return [*tokens[:first], "…", *tokens[-last:]]


def _marks(asked: str, answer: str, words: float) -> Iterator[str]:
    for step in _STEPS:
        if words > step:
            yield f"words>{step}"
    question = (
        asked
        if len(asked) <= 2 * _ASKED_SHOWN
        else (asked[:_ASKED_SHOWN] + "\n" + asked[-_ASKED_SHOWN:])
    )
    question, answer = fold(question), fold(answer)
    yield from (mark for mark, search in _ASKED.items() if search(question))
    yield from (mark for mark, search in _ANSWERED.items() if search(answer))
