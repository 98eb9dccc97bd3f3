"""Answers that stop before their end, with no finish reason to tell; English and Chinese."""

from __future__ import annotations

import re

from sftrecipe_registry.filters.format import open_syntax
from sftrecipe_registry.filters.format.announced_lists import missing_item
from sftrecipe_registry.filters.format.ending_features import (
    ENDED,
    LETTER,
    LISTED,
    ending_features,
)
from sftrecipe_registry.filters.format.phrase_weights import phrase_weights
from sftrecipe_registry.filters.format.unmarked_ends import asks_to_choose, whole_by_form
from sftrecipe_registry.filters.format.word_lists import word_list
from sftrecipe_registry.shared.text.scripts import has_unspaced

CUT = {"en": (0.5, 0.2, 0.08), "zh": (0.55, 0.32, 0.25)}
"""Probability from which an end without final punctuation counts as cut: of an author who has
written no sentence with its mark before, of one who has written some, and of one who never
leaves it out."""
_MARKED = re.compile(r"[。！？]|[.!?](?=\s|[\"”’)])")
_MANY = 4
"""Marked sentences that show an author who never leaves the mark out."""
_ENDS_ZH = re.compile(
    r"(?:因为|由于|如果|但是|而且|并且|以及|或者|所以|因此|虽然|尽管|例如|比如|包括|其中|首先"
    r"|其次|然后|同时|此外|另外|通过|对于|关于|根据|为了|以便"
    r"|无论|不仅|只有|只要|即使|一旦|特别是|尤其是|也就是|分别是|和|与|或|及|但|并|从|在|对|把"
    r"|被|将|给|向|为|由|以|于|使|让|令|则|且|若|因|即|至|比"
    r"|一个|一种|这个|这种|那些|这些|各种|可以|能够|应该|需要|必须|可能|我们的|他们的|是|有"
    r"|[^，。]{8,}的|它就|就会|共同)$"
)
_ASSURED = re.compile(
    r"(?:会|可以)[^，。,.；是一]{1,10}的$|(?:为|很|更|较|蛮|挺)(?:好|重要|必要|正常|有效|不错)的$"
)
"""A particle of assurance behind a whole clause: 慢慢会改善的."""
_SO_MANY_MORE = re.compile(r"\d\S*(?: [a-z]+){0,3} more$")
_EMPTY_ITEM = re.compile(
    r"\s*(?:\d{1,3}\s*[.)、．）]|[-*•·]|[（(][\d一二三四五六七八九十]{1,3}[)）]"
    r"|[一二三四五六七八九十]{1,3}、"
    r"|[A-Za-z][.)、．])\s*\**\s*"
)
_EMPTY_PLACE = re.compile(r"[；;。.:：]\s*[（(](?:\d{1,2}|[一二三四五六七八九十]{1,3})[)）]$")
_HEADING = re.compile(
    r"\s*(?:#{1,6}\s+\S.*|\*\*[^*]{1,60}\*\*[:：]?|[一二三四五六七八九十]{1,2}、\S{1,20})\s*"
)
_LAST_WORDS = re.compile(r"\bend\b|\bfin\b|完|终|谢谢|thank|=|！|!", re.IGNORECASE)
_ABOUT_MARKS = re.compile(
    r"punctuat|comma|colon|symbol|sign\b|character|标点|符号|逗号|冒号|顿号|怎么写|注释",
    re.IGNORECASE,
)
_SIGN_OFF = re.compile(
    r"(?:regards|sincerely|yours(?: \w+)?|wishes|cheers|thanks|love|respectfully|truly|you"
    r"|dear .{1,40}"
    r"|此致|祝好|谨上|敬礼)\s*[,，]\s*$",
    re.IGNORECASE,
)
_NAME_BEHIND = re.compile(
    r"[.!?](?: (?:with )?love,| yours,| best,| cheers,| thanks,)? (?:[A-Z][\w&' ]{0,16}"
    r"|x{1,3})$|[。！!][\u4e00-\u9fff]{2,4}$",
    re.IGNORECASE,
)
_GREETED = re.compile(
    r"\W*(?:dear|hi\b|hello|hey|to\b|尊敬|亲爱|您好|你好|各位|.{1,12}[:：]$)",
    re.IGNORECASE | re.MULTILINE,
)
_CLOSED = re.compile(
    r"[\"”’」]\s*[-—–]{1,2}\s*\S.{0,40}$|[。！!?？.]\s*[-—–]{1,2}\s*\S.{0,14}$|(?:^|\s)[#@]\S+$|https?://\S+$|\b(?:answer|result"
    r"|output)(?: is|:)\s*\S[^.\n]{0,20}$|(?:答案|结果)[是为：:]\s*\S[^。\n]{0,12}$"
    r"|\betc$|^(?:[^，。、\n]{1,8}、)+[^，。、\n]{1,8}$|=\s*[-−]?[$€£¥￥]?\d[\d.,]*\s*\S{0,8}$",
    re.IGNORECASE,
)
"""A source behind a quotation, hashtags, addresses, the answer to a sum."""
_ENDS_WITH_MARK = re.compile(r"[)}\]\"'];$|:\w+:$")
"""A statement of code, an emoji by its name."""
_GO_ON = ("=", "×", "÷", " +", "——", "\\", " –", " —", " -", " −")
_TITLES = ("Dr.", "Mr.", "Mrs.", "Ms.", "Prof.")
_ABBREVIATIONS = ("e.g.", "i.e.", "viz.", "cf.", "vs.", "approx.", *_TITLES)
_ABBREVIATED = re.compile(rf"\b(?:{'|'.join(map(re.escape, _ABBREVIATIONS))})$")
_LONGEST_ABBREVIATED = max(map(len, _ABBREVIATIONS)) + 1
_SUM_SIGNS = "-−+*/÷×="
_SUM_GOES_ON = re.compile(rf"[\d)）]\s?[{_SUM_SIGNS}]$")
_RULED = re.compile(r"[-=–—_*~ ]+")
_SHOWN = 40


def unfinished(asked: str, answer: str) -> str | None:
    """What the answer ends with where that is no end; None where it is whole."""
    text = answer.rstrip()
    if len(text) < 2 or not any(map(str.isalnum, text)):
        return None
    if open_syntax.open_fence(text):
        return "```" if open_syntax.stops_in_fence(text) else None
    if _in_closed_code(text):
        return None
    lines = [line for line in text.splitlines() if line.strip()]
    if open_syntax.is_code(text, lines):
        return open_syntax.open_code(text) or None
    return (
        open_syntax.open_formula(text)
        or _open_at_end(asked, text, lines)
        or missing_item(asked, lines)
        or _stops(asked, text)
    )


def _in_closed_code(text: str) -> bool:
    return text.endswith(("```", "~~~"))


def _open_at_end(asked: str, text: str, lines: list[str]) -> str | None:
    """What is open by its signs alone."""
    last = lines[-1].strip()
    if "|" in last and open_syntax.open_row(lines):
        return last[-_SHOWN:]
    if last.startswith("|"):
        return last[-_SHOWN:] if open_syntax.open_table(text) else None
    about_marks = text[-1] not in ".!?。！？" and _ABOUT_MARKS.search(asked) is not None
    if _announces(text, last, about_marks) or _empty_place(lines, last):
        return last[-_SHOWN:]
    if (
        text[-1] not in ".!?。！？"
        and not about_marks
        and (found := open_syntax.open_bracket(text))
    ):
        return found
    if _bare_heading(lines) or open_syntax.open_emphasis(text):
        return last[-_SHOWN:]
    return '"' if text[-1] not in ENDED and open_syntax.open_straight_quote(text) else None


def _announces(text: str, last: str, about_marks: bool) -> bool:
    """A comma, a colon, a sign of a sum … after which something must come."""
    if text[-1] in ",，、:：；;":
        return not (
            len(text) < 8
            or about_marks
            or _SIGN_OFF.search(text)
            or _ENDS_WITH_MARK.search(last)
            or asks_to_choose(text, last)
        )
    goes_on = last.endswith(_GO_ON) and not last.endswith("==")
    return (goes_on or _before_more(last)) and len(text) > 12 and not _RULED.fullmatch(last)


def _before_more(last: str) -> bool:
    """An abbreviation, or a sign of a sum, behind which something must come."""
    if last.endswith(_ABBREVIATIONS):
        return _ABBREVIATED.search(last[-_LONGEST_ABBREVIATED:]) is not None
    return last[-1] in _SUM_SIGNS and _SUM_GOES_ON.search(last[-3:]) is not None


def _empty_place(lines: list[str], last: str) -> bool:
    """A number, a letter or a bullet with nothing behind it."""
    if last[-1] in ")）" and _EMPTY_PLACE.search(last):
        return True
    if len(lines) < 2:
        return False
    empty_item = _EMPTY_ITEM.fullmatch(last) and LISTED.match(lines[-2])
    return bool(empty_item) or last.endswith((":**", "：**"))


def _bare_heading(lines: list[str]) -> bool:
    """The last line is a heading, and the one before has text below it."""
    if not _HEADING.fullmatch(lines[-1]) or _LAST_WORDS.search(lines[-1]):
        return False
    if lines[-1].startswith("**") and any(line.startswith("**") for line in lines[:-1]):
        return not lines[-2].startswith("**") or not _HEADING.fullmatch(lines[-2])
    if len(lines) < 3:
        return False
    kind = lines[-1].strip()[0] in "#*"
    earlier = [at for at, line in enumerate(lines[:-1]) if _HEADING.fullmatch(line)]
    if lines[-1].lstrip().startswith("#"):
        return not _HEADING.fullmatch(lines[-2])
    return bool(earlier) and earlier[-1] < len(lines) - 2 and (kind or len(lines[-2]) > 20)


def _stops(asked: str, text: str) -> str | None:
    """A word that nothing ends with, or an end that the model takes for a cut."""
    if text[-1] in ENDED or not (text[-1].isalnum() or text[-1] in "-—–/&+=×℃°%"):
        return None
    last = text.splitlines()[-1].strip()
    if (
        _CLOSED.search(last)
        or _short_alone(asked, text)
        or _one_of_lines(text)
        or _signed(asked, text)
        or _ends_as_asked(asked, last)
    ):
        return None
    if whole_by_form(asked, text, last) and not _function_word(last, _language(last)):
        return None
    language, phrases, marks = ending_features(asked, text)
    probability = phrase_weights(f"ending.{language}.tsv").probability(phrases, marks)
    word_ends = _function_word(last, language)
    least = CUT[language][marks_sentences(text)]
    if probability >= (min(least, 0.3) if word_ends else least):
        return last[-_SHOWN:]
    return None


def marks_sentences(text: str) -> int:
    """0, 1 or 2: whether the author marks the ends of sentences never, sometimes or always."""
    marked = len(_MARKED.findall(text))
    if not marked:
        return 0
    lines = [line.rstrip() for line in text.splitlines() if line.strip()]
    commas = sum(map(text.count, "，,"))
    return 2 if marked >= _MANY and (len(lines) > 1 or commas < 3 * marked) else 1


def _short_alone(asked: str, text: str) -> bool:
    """A few words by themselves, or words of the question: a label, a name, a title."""
    if "\n" in text or "。" in text or ". " in text:
        return False
    if _function_word(text, _language(text)) and text not in asked:
        return False
    return len(text) < (12 if has_unspaced(text) else 24) or text in asked


def _one_of_lines(text: str) -> bool:
    """A line as short as those before it, which have no final punctuation either: items, verses."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if len(lines) < 3 or _function_word(lines[-1], _language(lines[-1])):
        return False
    near = [line for line in lines[-4:-1] if line[-1] not in ":：。.!?！？,，；;"]
    shortest, longest = min(map(len, near), default=0), max(map(len, near), default=0)
    return len(near) >= min(2, len(lines) - 2) and shortest / 3 <= len(lines[-1]) <= longest + 8


def _signed(asked: str, text: str) -> bool:
    """A name, a place or a date below a letter."""
    letter = LETTER.search(asked[:600]) is not None
    if letter and _NAME_BEHIND.search(text):
        return True
    body, _, end = text.rpartition("\n\n")
    if not body or len(end) > 80 or body.rstrip()[-1] not in ".!?。！？,，~～)）":
        return False
    most = 14 if has_unspaced(end) else 40
    lines = end.splitlines()
    letter = letter or _GREETED.match(body) is not None
    return letter and all(len(line) <= most for line in lines) and not LISTED.match(lines[0])


def _ends_as_asked(asked: str, last: str) -> bool:
    """What is to be said in other words breaks off with the same word: 答复如下."""
    words = last.rsplit(None, 1)
    end = last[-2:] if has_unspaced(last[-2:]) else f" {words[-1]}"
    return len(last) > len(end) and asked.rstrip().endswith(end)


def _language(text: str) -> str:
    return "zh" if has_unspaced(text) else "en"


def _function_word(last: str, language: str) -> bool:
    if language == "zh":
        return len(last) > 3 and _ENDS_ZH.search(last) is not None and _ASSURED.search(last) is None
    words = last.replace("’", "'").split()
    if len(words) < 3 or _SO_MANY_MORE.search(last):
        return False
    return words[-1].lower() in word_list("unfinished_words")
