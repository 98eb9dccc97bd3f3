"""Thoughts in a text: parted from the answer behind them, and put before it again.

The marks are those of the models' own templates: Qwen3, DeepSeek-R1, GLM, ERNIE X1 (`<think>`),
Seed-OSS (`<seed:think>`), LongCat (`<longcat_think>`), Magistral (`[THINK]`), Kimi-VL
(`◁think▷`), Command A (`<|START_THINKING|>`), OpenThinker (`<|begin_of_thought|>`), Gemma
(`<|channel>thought`), MedGemma (`<unused94>thought`), gpt-oss (`<|channel|>analysis`), and what
instructions ask for (`<thinking>`, `<reasoning>`, `<thought>`, `<思考>`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

import orjson

_TAGS = ("think", "thinking", "thought", "thoughts", "reasoning", "seed:think", "longcat_think")
_WRITTEN = {
    **{f"＜{tag}＞": f"＜/{tag}＞" for tag in (*_TAGS, "思考", "思考过程")},
    **{f"<{tag}>": f"</{tag}>" for tag in ("思考", "思考过程")},
    **{f"【{tag}】": f"【/{tag}】" for tag in ("思考", "思考过程")},
}
"""Marks that are headings, too: a thought only where it is closed."""
_MARKS = {
    **{f"<{tag}>": f"</{tag}>" for tag in _TAGS},
    **_WRITTEN,
    "[think]": "[/think]",
    "◁think▷": "◁/think▷",
    "<|start_thinking|>": "<|end_thinking|>",
    "<|begin_of_thought|>": "<|end_of_thought|>",
    "<|channel>thought": "<channel|>",
    "<unused94>thought": "<unused95>",
}
"""Where a thought begins → where it ends; in any case of letters."""
_CLOSES = {close: opens for opens, close in _MARKS.items()}
_MARK = re.compile("|".join(re.escape(mark) for mark in (*_MARKS, *_CLOSES)), re.IGNORECASE)
_CHANNEL = re.compile(
    r"(?:<\|start\|>assistant)?<\|channel\|>(?P<name>\w+)[^<]*(?:<\|constrain\|>\w+)?<\|message\|>"
    r"(?P<said>.*?)(?:<\|end\|>|<\|return\|>|<\|call\|>|(?=<\|start\|>)|\Z)",
    re.DOTALL,
)
_BARE_CHANNELS = re.compile(r"analysis(?P<thought>.*?)assistantfinal(?P<answer>.*)", re.DOTALL)
"""What is left of gpt-oss's channels where the server leaves special tokens out."""
_WRAPPED = re.compile(
    r"<(answer|response|回答|答案)>(.*)</\1>|<\|(START_RESPONSE|begin_of_solution)\|>"
    r"(.*)<\|(?:END_RESPONSE|end_of_solution)\|>",
    re.DOTALL,
)
_BEGINS_IN_CHANNELS = ("<|channel|>", "<|start|>assistant<|channel|>")
_OPENED = re.compile(
    rf"(?:{'|'.join(map(re.escape, _MARKS))}|<\|channel\|>analysis<\|message\|>)\s*\Z",
    re.IGNORECASE,
)
_LONGEST_MARK = 40
_BETWEEN = re.compile(r"<\|(?:message|end|start)\|>(?:assistant)?")
_SIGNS = ("<", "[", "◁", "＜", "【")
"""One of them begins each mark."""
_QUOTES = frozenset({'""', "''", "“”", "‘’", "「」", "『』", "《》", "()", "（）"})
_SENTENCE_ENDS = (".", "!", "?", "。", "！", "？", "…")
_FENCE = re.compile(r"^[ \t]*(?:```|~~~)", re.MULTILINE)


class ThoughtAndAnswer(NamedTuple):
    """A text in its two parts."""

    reasoning: str
    """The thought, without its marks; empty where there is none."""
    answer: str
    """The text as it is where it holds no thought."""
    is_open: bool = False
    """Whether the thought has no end: nothing behind it is an answer."""


def split_thought(text: str) -> ThoughtAndAnswer:
    """The thought that a text begins with, and what is behind it. Never raises."""
    thoughts: list[str] = []
    rest = text
    while (begun := _begun(rest)) is not None:
        opened = begun[0].lower()
        thought, behind = _up_to_its_end(rest[begun.end() :], opened)
        if behind is None and opened in _WRITTEN:
            break
        if thought.strip():
            thoughts.append(thought.strip())
        if behind is None:
            return ThoughtAndAnswer("\n\n".join(thoughts), "", is_open=True)
        rest = _without_ends(behind, _MARKS[opened])
    if rest is text:
        return ThoughtAndAnswer("", text)
    return ThoughtAndAnswer("\n\n".join(thoughts), _unwrapped(rest))


def split_reply(text: str, *, told_apart: bool = False) -> ThoughtAndAnswer:
    """The same for what a model wrote: its template may have opened the thought before it, and
    it may think again in the middle of its answer; gpt-oss writes channels. Never raises.

    `told_apart`: the server parted a thought from it already, so that a mark within a line is
    spoken of.
    """
    if not any(sign in text for sign in _SIGNS) and not text.startswith("analysis"):
        return ThoughtAndAnswer("", text)
    if "<|channel|>" in text:
        return _channels(text)
    if text.startswith("analysis") and (bare := _BARE_CHANNELS.fullmatch(text)):
        return ThoughtAndAnswer(bare["thought"].strip(), bare["answer"].strip())
    found = split_thought(text)
    if not found.reasoning and not found.is_open and found.answer is text:
        found = _opened_before(text, alone=told_apart)
    return _thinking_again(found, alone=told_apart)


def split_completion(text: str, prompt: str) -> ThoughtAndAnswer:
    """The same for a raw completion, which is a text: only where it begins with a thought, as it
    says, or as the prompt's last mark does. Never raises."""
    in_channels = text.lstrip().startswith(_BEGINS_IN_CHANNELS)
    if in_channels or _OPENED.search(prompt[-_LONGEST_MARK:]):
        return split_reply(text)
    return split_thought(text)


def join_thought(reasoning: str, answer: str) -> str:
    """The answer with its thought before it, as LLaMA-Factory and the models' templates train."""
    return f"<think>\n{reasoning}\n</think>\n\n{answer}" if reasoning else answer


def _begun(text: str) -> re.Match[str] | None:
    start = len(text) - len(text.lstrip())
    mark = _MARK.match(text, start)
    return mark if mark is not None and mark[0].lower() in _MARKS else None


def _up_to_its_end(text: str, opened: str) -> tuple[str, str | None]:
    """The thought, and what is behind it; None where it has no end.

    A thought may speak of its marks: the end is where as many were closed as were opened, or
    else the first, if that is not spoken of itself.
    """
    end = _balanced_end(text, opened)
    if end is None:
        return text, None
    end = _meant(text, end, began_with_a_line=text.startswith("\n"))
    return text[: end.start()], text[end.end() :]


def _meant(text: str, end: re.Match[str], *, began_with_a_line: bool) -> re.Match[str]:
    """The end, or the next one, where the thought only speaks of this one."""
    is_quoted = _is_quoted(text, end)
    if not is_quoted and not (began_with_a_line and _is_within_a_line(text, end)):
        return end
    following = _MARK.search(text, end.end())
    if following is None or following[0].lower() != end[0].lower():
        return end
    is_end = _has_a_line(text, following) or (is_quoted and not _is_quoted(text, following))
    return following if is_end else end


def _balanced_end(text: str, opened: str) -> re.Match[str] | None:
    depth = 1
    first: re.Match[str] | None = None
    for mark in _MARK.finditer(text):
        word = mark[0].lower()
        if word == opened:
            depth += 1
        elif word == _MARKS[opened]:
            first, depth = first or mark, depth - 1
            if depth == 0:
                return mark
    return first


def _without_ends(text: str, close: str) -> str:
    """A text behind a thought, without the ends of it that some models write once more."""
    text = text.lstrip()
    while text[: len(close)].lower() == close:
        text = text[len(close) :].lstrip()
    return text


def _opened_before(text: str, *, alone: bool) -> ThoughtAndAnswer:
    """A text whose first mark is an end stands behind a beginning that was part of the prompt;
    `alone`: if it is the first of the text, or has a line of its own."""
    said = (mark for mark in _MARK.finditer(text) if not _is_quoted(text, mark))
    first = next(said, None)
    if first is None or first[0].lower() not in _CLOSES:
        return ThoughtAndAnswer("", text)
    first = _meant(text, first, began_with_a_line=True)
    if alone and text[: first.start()].strip() and not _has_a_line(text, first):
        return ThoughtAndAnswer("", text)
    if _is_json(text):
        return ThoughtAndAnswer("", text)
    return ThoughtAndAnswer(text[: first.start()].strip(), _unwrapped(text[first.end() :].lstrip()))


def _thinking_again(found: ThoughtAndAnswer, *, alone: bool) -> ThoughtAndAnswer:
    """Without the thoughts within the answer that begin on a line of their own, nor, unless they
    have to be `alone`, those behind a sentence that have an end."""
    thoughts, answer = [found.reasoning], found.answer
    place = 0
    while (mark := _MARK.search(answer, place)) is not None:
        line = answer[answer.rfind("\n", 0, mark.start()) + 1 : mark.start()]
        opened = mark[0].lower()
        begins = not line.strip() or (not alone and _is_behind_a_sentence(line))
        if opened not in _MARKS or not begins or _is_quoted(answer, mark):
            place = mark.end()
            continue
        thought, behind = _up_to_its_end(answer[mark.end() :], opened)
        if behind is None and (line.strip() or opened in _WRITTEN):
            place = mark.end()
            continue
        thoughts.append(thought.strip())
        before = answer[: mark.start()].rstrip()
        if behind is None:
            return ThoughtAndAnswer(_together(thoughts), before, is_open=True)
        place = len(before)
        answer = "\n\n".join(part for part in (before, behind.strip()) if part)
    return ThoughtAndAnswer(_together(thoughts), answer, found.is_open)


def _channels(text: str) -> ThoughtAndAnswer:
    thoughts: list[str] = []
    answers: list[str] = []
    for channel in _CHANNEL.finditer(text):
        (answers if channel["name"] == "final" else thoughts).append(channel["said"].strip())
    lead = _BETWEEN.sub("", text[: text.index("<|channel|>")]).strip()
    if lead:
        thoughts.insert(0, lead)
    return ThoughtAndAnswer(_together(thoughts), _together(answers), is_open=not answers)


def _is_quoted(text: str, mark: re.Match[str]) -> bool:
    """Whether a mark is spoken of: within code, or in quotation marks."""
    fences = len(_FENCE.findall(text, 0, mark.start()))
    line = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    around = text[max(0, mark.start() - 1) : mark.start()] + text[mark.end() : mark.end() + 1]
    return fences % 2 == 1 or line.count("`") % 2 == 1 or around in _QUOTES


def _is_behind_a_sentence(line: str) -> bool:
    """Whether what follows is, and not within a text of JSON."""
    return line.rstrip().endswith(_SENTENCE_ENDS) and line.count('"') % 2 == 0


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


def _has_a_line(text: str, mark: re.Match[str]) -> bool:
    before = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    return not before.strip() and text[mark.end() : mark.end() + 1] in ("", "\n", "\r")


def _is_within_a_line(text: str, mark: re.Match[str]) -> bool:
    before = text[text.rfind("\n", 0, mark.start()) + 1 : mark.start()]
    return bool(before.strip()) and text[mark.end() : mark.end() + 1] not in ("", "\n", "\r")


def _unwrapped(answer: str) -> str:
    found = _WRAPPED.fullmatch(answer.strip())
    return (found[2] or found[4] or "").strip() if found else answer


def _together(thoughts: list[str]) -> str:
    return "\n\n".join(thought for thought in thoughts if thought)
