"""What the labelled rows ask of which filter."""

from __future__ import annotations

from typing import Any, NamedTuple


class Task(NamedTuple):
    """A file of labelled rows and the filter that is to find the marked ones."""

    use: str
    rows: str
    """Name of the file, without language and ending."""
    form: str = "rows"
    """`rows`, `pairs`, `pii`, `language`, `answer_language` or `contamination`."""
    options: dict[str, Any] = {}
    reasons: tuple[str, ...] = ()
    """Reasons that count; left out: all."""


FORMAT = ("placeholder", "refusal", "repetition", "unfinished")
TASKS: dict[str, Task] = {
    "refusal": Task("format", "refusal", reasons=("refusal", "as_a_model")),
    "unfinished": Task("format", "unfinished", reasons=("unfinished", "unbalanced", "cut_off")),
    "placeholder": Task("format", "placeholder", reasons=("placeholder", "empty")),
    "repetition": Task("format", "repetition", reasons=("repetition", "same_line")),
    "pii": Task("pii", "pii", "pii", {"action": "mask"}),
    "safety": Task("safety", "safety"),
    "language": Task("language", "language", "language"),
    "answer_language": Task("language", "language", "answer_language"),
    "near_dedup": Task("near_dedup", "near", "pairs"),
    "semantic_dedup": Task("semantic_dedup", "meaning", "pairs", {"action": "drop"}),
    "rouge_novelty": Task("rouge_novelty", "novelty", "pairs"),
    "decontaminate": Task("decontaminate", "contamination", "contamination"),
    "decontaminate by meaning": Task(
        "decontaminate", "contamination", "contamination", {"embedding": "packaged"}
    ),
}
LANGUAGES = ("en", "zh")


def figure_name(name: str, what: str) -> str:
    """How a page names what a task looks for."""
    if what in (name, TASKS[name].rows):
        return name
    return what if name == TASKS[name].use else f"{name}: {what}"
