"""What a question wants: the why, the when, whether one may."""

from __future__ import annotations

import re
from functools import lru_cache

_START = r"(?:^|[.?!,;:\n]\s*|\b(?:and|but|so|or|then|know|if|whether)\s+)"
_BE = r"(?:is|are|was|were|did|does|do|will|would|should|can|could|has|have|had|must|may)"
_WHO = r"(?:i|we|you|one|he|she|they|it|my|our|the|a|an|this|that|these|those|someone|people|\w+)"
_PATTERNS = {
    "why": r"\bwhy\b|\breasons?\b|\bhow come\b|\bcauses?\b|\bcaused\b|"
    r"\bwhat (?:makes?|made|leads?|led)\b|"
    r"为什么|为何|为啥|原因|病因|怎么会|何故|导致|引起|造成|缘故|怎么回事|道理",
    "when": rf"\bwhen {_BE}\b|\bwhat (?:time|date|year|day|month|age)\b|\bat what age\b|"
    r"什么时候|何时|几时|哪年|哪一年|哪天|啥时候|什么时间|几点|几月",
    "where": rf"\bwhere {_BE}\b|\bwhere to\b|哪里|哪儿|何处|什么地方|在哪",
    "who": rf"\bwho {_BE}?\b|\bwhom\b|\bwhose\b|\bwho\b|谁|哪位|什么人",
    "how_long": r"\bhow long\b|\bhow many (?:days|weeks|months|years|hours|minutes)\b|"
    r"多久|多长时间|几天|多少天|时间多长|几个小时|多少时间",
    "how_often": r"\bhow (?:often|frequently)\b|\bhow many times\b|多久一次|几次|多少次",
    "how_much": r"\bhow (?:much|many)\b|\bwhat (?:number|percent|percentage|share|fraction|amount|"
    r"dose|dosage|quantity|price|cost)\b|"
    r"多少|几个|几片|剂量|用量",
    "can": rf"{_START}(?:can|could|may|might) (?!you\b|u\b|someone\b|anyone\b){_WHO}\b|"
    r"\b(?:is|are|was) (?:it|this|that|there|[a-z]+(?: [a-z]+){0,2}) "
    r"(?:still )?(?:safe|unsafe|ok|okay|possible|allowed|fine|permitted|alright|"
    r"dangerous|risky|harmful)\b|"
    r"能不能|可不可以|可以[^。？?！]{0,30}吗|能[^。？?！]{0,30}吗|能否|可否|"
    r"是否可以|是否能|能.{0,6}么",
    "need_not": r"\b(?:do|does|did|need|would)(?:n't| not) (?:have|need) to\b|\bneed(?:n't| not)\b|"
    r"\b(?:no need|not necessary|not required|unnecessary|not obliged|optional)\b|"
    r"不必|无需|无须|毋须|不需要|用不着|没必要",
    "may_not": r"\b(?:must|may)(?:n't| not)\b|\b(?:not allowed|not permitted|"
    r"forbidden|prohibited|banned)\b|"
    r"不得(?!不)|不准|不许|严禁|禁止|不允许",
    "should": rf"{_START}(?:should|must|ought) {_WHO}\b|\b(?:do|does) (?:i|we|he|she|they|my \w+) "
    r"(?:need|have) to\b|\bis it (?:necessary|required|mandatory)\b|"
    r"要不要|该不该|应不应该|需不需要|需要[^。？?！]{0,30}吗|用不用|有必要|是否需要|"
    r"必须[^。？?！]{0,30}吗|要[^。？?！]{0,20}吗",
}
_EVERY = {name: re.compile(pattern) for name, pattern in _PATTERNS.items()}


@lru_cache(1 << 15)
def intents_of(text: str) -> frozenset[str]:
    """What is wanted, by the text in lower case; nothing special where it is a how or a what."""
    found = {name for name, pattern in _EVERY.items() if pattern.search(text)}
    if {"how_long", "how_often"} & found:
        found.discard("how_much")
    return frozenset(found)
