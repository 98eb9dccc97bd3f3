"""Models that split contexts for AugCon's tests: a clean one, and some that are no good."""

from __future__ import annotations

import re
from collections.abc import Callable
from hashlib import blake2b

from sftrecipe.plugin import Answer, Request

Say = Callable[[Request], str | Answer]
WORDS = "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi"
_CONTEXT = re.compile(r".*Context: (.*)\nQuestion:\s*$", re.DOTALL)


def asked_context(request: Request) -> str:
    """The context that a request of `augcon/split` asks about."""
    found = _CONTEXT.match(request.prompt or request.messages[-1]["content"])
    assert found
    return found[1]


def reply(question: str, first: str, second: str) -> str:
    """As a model goes on with the prompt."""
    return f" {question}\nContext 1: {first}\nContext 2: {second}\n"


def halves(request: Request) -> str:
    """Cut in the middle, between two words."""
    words = asked_context(request).split()
    middle = len(words) // 2
    question = f"What of {words[0]} to {words[-1]}, asked {request.sample}?"
    return reply(question, " ".join(words[:middle]), " ".join(words[middle:]))


def moody(request: Request) -> str:
    """Good by chance: chatter, invention, empty halves and repeats, the same at every run."""
    drawn = blake2b(f"{request.prompt}{request.sample}".encode()).digest()[0]
    context = asked_context(request)
    if drawn < 50:
        return "I would rather not."
    if drawn < 80:
        return reply("And this?", context, context)
    if drawn < 110:
        return reply("What was made up?", "Something quite different from it.", context[:-5])
    if drawn < 120:
        return reply("Hm?", context[:30], context[30:])
    return halves(request)


def one_letter_less(request: Request) -> str:
    """Halves that overlap almost wholly: without a cap the tree has 2^length nodes."""
    context = asked_context(request)
    return reply("Is this ever going to end?", context[1:], context[:-1])


ENDLESS: dict[str, Say] = {
    "repeats the context": lambda request: reply("Again?", *[asked_context(request)] * 2),
    "says nothing": lambda _: "",
    "cannot be read": lambda _: "Sure! Here is a question.",
    "leaves one piece": lambda request: reply("One piece?", asked_context(request)[:-1], ""),
    "one letter less each time": one_letter_less,
    "the same half twice": lambda request: reply("Twice?", *[asked_context(request)[:-1]] * 2),
    "makes up the halves": lambda request: reply("Made up?", "quite something else", "and more"),
    "goes on for ever": lambda _: Answer("word " * 200, "length"),
    "echoes the prompt": lambda request: request.prompt or "",
}
