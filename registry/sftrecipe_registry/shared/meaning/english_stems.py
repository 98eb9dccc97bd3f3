"""What English words have in common whatever their endings."""

from __future__ import annotations

from functools import lru_cache

_IRREGULAR = {
    "feet": "foot", "teeth": "tooth", "mice": "mouse", "men": "man", "women": "woman",
    "wives": "wife", "lives": "life", "knives": "knife", "leaves": "leave", "children": "child",
    "bought": "buy", "sold": "sell", "taught": "teach", "wrote": "write", "written": "write",
    "ate": "eat", "eaten": "eat", "drank": "drink", "drunk": "drink", "slept": "sleep",
    "ran": "run", "running": "run", "swam": "swim", "broke": "break", "broken": "break",
    "fell": "fall", "fallen": "fall", "grew": "grow", "grown": "grow", "sent": "send",
    "lost": "lose", "won": "win", "paid": "pay", "built": "build", "held": "hold", "left": "left",
    "drove": "drive", "driven": "drive", "flew": "fly", "spoke": "speak", "spoken": "speak",
    "stole": "steal", "stolen": "steal", "woke": "wake", "died": "die", "dying": "die",
    "lying": "lie", "lay": "lie", "sank": "sink", "sunk": "sink", "sang": "sing", "rose": "rise",
    "risen": "rise", "hid": "hide", "bit": "bit", "bled": "bleed", "bleeding": "bleed",
    "fed": "feed", "met": "meet", "shrank": "shrink", "froze": "freeze", "frozen": "freeze",
    "thought": "think", "diagnoses": "diagnosis", "analyses": "analysis", "criteria": "criterion",
    "bacteria": "bacterium", "viruses": "virus", "going": "go", "during": "during",
    "less": "less", "thing": "thing", "things": "thing", "this": "this", "was": "was",
    "worse": "bad", "worst": "bad",
}  # fmt: skip
_ENDINGS = frozenset(
    "s es ed d ing er ers r or ors ion ions tion tions ation ations ment ments ly al ally ic ical "  # noqa: SIM905
    "ically ive ity ness ful y ies ied ier iest est ance ence ent ant able ible ous ist ists ism "
    "ize ise ized ised izing ising e t th ia tic tics sis c ative ory ary ian ians n en".split()
)


@lru_cache(1 << 16)
def stem(word: str) -> str:
    """The word without the endings of number and tense."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4 or not word.isalpha():
        return word
    if word.endswith("s"):
        return _singular(word)
    for ending in ("ing", "ed"):
        base = word.removesuffix(ending)
        if base != word and len(base) > 2 and any(letter in "aeiouy" for letter in base):
            return _undoubled(base)
    return word.removesuffix("e") if len(word) > 4 else word


def _singular(word: str) -> str:
    if word.endswith(("ss", "us", "is")):
        return word
    if word.endswith("ies") and len(word) > 4:
        return word[:-3] + "y"
    if word.endswith(("sses", "xes", "ches", "shes", "zes")):
        return word[:-2]
    base = word[:-1]
    return stem(base) if len(base) > 3 else base


def _undoubled(base: str) -> str:
    """`stop` of `stopp`; `mak` of `make` and of `making`."""
    if len(base) > 3 and base[-1] == base[-2] and base[-1] not in "lsz":
        return base[:-1]
    if base.endswith("i"):
        return base[:-1] + "y"
    return base.removesuffix("e") if len(base) > 4 else base


@lru_cache(1 << 16)
def related(first: str, second: str) -> bool:
    """Whether both are forms of one word: `diabetes` and `diabetic`, `diagnose` and `diagnosis`."""
    shared = 0
    for one, other in zip(first, second, strict=False):
        if one != other:
            break
        shared += 1
    if shared < max(4, 0.55 * min(len(first), len(second))):
        return False
    for cut in (shared, shared - 1, shared - 2):
        ends = first[cut:], second[cut:]
        if cut >= 4 and all(not end or end in _ENDINGS for end in ends):
            return True
    return False
