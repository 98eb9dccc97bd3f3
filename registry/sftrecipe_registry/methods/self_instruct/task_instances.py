"""Reading the examples of a task, its instances, out of a reply, and which of them are no good."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sftrecipe.plugin import is_cut_off

_EXAMPLE = re.compile(r"(?m)^[ \t]*(?:Example\s?\d*\.?|示例\s?\d*)[ \t]*[:：]?")
_EXAMPLE_ORIGINAL = re.compile(r"Example\s?\d*\.?")
_OUTPUT = re.compile(r"Output\s*\d*\s*:|(?m:^[ \t]*)输出\s*\d*\s*[:：]")
_INPUT = re.compile(r"Input\s*\d*\s*:|(?m:^[ \t]*)输入\s*\d*\s*[:：]")
_LABEL = re.compile(r"Class label:|(?m:^[ \t]*)类别\s*[:：]")


class Instance(NamedTuple):
    """One example of a task."""

    input: str
    output: str


class LostPart(NamedTuple):
    """A part of the reply that is no instance."""

    reason: str
    """`empty_reply`, `no_instance`, `preamble`, `second_output`, `next_input` or `cut_off`."""
    text: str


Part = Instance | LostPart


def parse_examples(
    text: str, *, finish_reason: str = "stop", strict_original: bool = False
) -> list[Part]:
    """The instances of a reply that gives inputs first, and what is none, in the reply's order.

    An example without `Output:` is all output. `strict_original` splits at the word Example
    anywhere, not at the beginning of a line alone, and takes what stands before the first one for
    an example. Source: self-instruct `prepare_for_finetuning.py`; Chinese marks beside its English
    ones.
    """
    mark = _EXAMPLE_ORIGINAL if strict_original else _EXAMPLE
    raw = text.strip()
    if mark.search(raw):
        pieces = [piece.strip() for piece in mark.split(raw)]
        parts = list(_example_parts(pieces, strict_original)) or _lost_whole(raw)
    elif _OUTPUT.search(raw):
        parts = list(_input_output(raw))
    else:
        return _lost_whole(raw)
    return _without_cut(parts) if is_cut_off(finish_reason) else parts


def parse_labelled(text: str, *, finish_reason: str = "stop") -> list[Part]:
    """The instances of a reply that gives class labels first: the label is the output.

    What follows the label's line is the input. Source: as `parse_examples`.
    """
    preamble, *pieces = _LABEL.split(text)
    if not pieces:
        return _lost_whole(text.strip())
    parts: list[Part] = [LostPart("preamble", preamble.strip())] if preamble.strip() else []
    for piece in pieces:
        label, _, asked = piece.strip().partition("\n")
        parts.append(Instance(asked.strip(), label.strip()))
    return _without_cut(parts) if is_cut_off(finish_reason) else parts


def faults(instances: Sequence[Instance]) -> list[str]:
    """What is wrong with each of a task's instances; empty where nothing is.

    `input_is_output`, `empty_output`, `ends_with_colon`; `contradicting`, for all the others, when
    two have one input and different outputs; `repeated`. Source: as `parse_examples`.
    """
    found = [_fault(instance) for instance in instances]
    sound = {each for each, fault in zip(instances, found, strict=True) if not fault}
    inputs = [instance.input for instance in sound if instance.input]
    if len(set(inputs)) < len(inputs):
        return [fault or "contradicting" for fault in found]
    seen: set[Instance] = set()
    for at, instance in enumerate(instances):
        if not found[at] and instance in seen:
            found[at] = "repeated"
        seen.add(instance)
    return found


def _example_parts(pieces: Sequence[str], strict_original: bool) -> Iterator[Part]:
    for at, piece in enumerate(pieces):
        if not piece:
            continue
        if at or strict_original or _OUTPUT.search(piece):
            yield from _input_output(piece)
        else:
            yield LostPart("preamble", piece)


def _input_output(text: str) -> Iterator[Part]:
    """The first input and output in a text, and what stands after them."""
    asked, *rest = _OUTPUT.split(text)
    if not rest:
        asked, rest = "", [text]
    answered, *following = _INPUT.split(rest[0], maxsplit=1)
    if leading := _INPUT.match(asked.strip()):
        asked = asked.strip()[leading.end() :]
    yield Instance(asked.strip(), answered.strip())
    yield from (LostPart("next_input", each.strip()) for each in following if each.strip())
    yield from (LostPart("second_output", each.strip()) for each in rest[1:] if each.strip())


def _lost_whole(text: str) -> list[Part]:
    return [LostPart("no_instance" if text else "empty_reply", text)]


def _without_cut(parts: list[Part]) -> list[Part]:
    """The last example is lost, since the reply was cut off in it."""
    for at in range(len(parts) - 1, -1, -1):
        part = parts[at]
        if isinstance(part, Instance):
            text = "\n".join(filter(None, part))
            return [*parts[:at], LostPart("cut_off", text), *parts[at + 1 :]]
    return parts


def _fault(instance: Instance) -> str:
    if instance.input == instance.output:
        return "input_is_output" if instance.output else "empty_output"
    if not instance.output:
        return "empty_output"
    return "ends_with_colon" if any(text.endswith((":", "：")) for text in instance) else ""
