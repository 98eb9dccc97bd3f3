"""Labelled rows put to a filter: what it found, missed, found wrongly."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from command import Outcome, outcomes
from tasks import Task

from sftrecipe.record import record_id

Row = Mapping[str, Any]


@dataclass
class Judged:
    """The confusions of one kind of thing to find, with the rows that came out wrong."""

    found: int = 0
    missed: list[str] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)
    right: int = 0

    def add(self, marked: bool, found: bool, row: str) -> None:
        """Count one row."""
        if marked and found:
            self.found += 1
        elif marked:
            self.missed.append(row)
        elif found:
            self.wrong.append(row)
        else:
            self.right += 1

    @property
    def precision(self) -> float:
        """Share of what was found that is marked."""
        return self.found / max(self.found + len(self.wrong), 1)

    @property
    def recall(self) -> float:
        """Share of what is marked that was found."""
        return self.found / max(self.found + len(self.missed), 1)


def labelled(folder: Path, task: Task, language: str) -> list[Row]:
    """The rows of a set; none where it has no such file."""
    path = folder / f"{task.rows}.{language}.jsonl"
    if not path.exists():
        return []
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line]


def judge(folder: Path, task: Task, language: str) -> dict[str, Judged]:
    """The confusions by what was to be found: the task's own, of `pii` each kind's."""
    rows = labelled(folder, task, language)
    if not rows:
        return {}
    if task.form == "contamination":
        items = folder / f"contamination_items.{language}.jsonl"
        return _contamination(task, rows, [*_read(items)], language)
    return {
        "rows": _rows,
        "pairs": _pairs,
        "pii": _pii,
        "language": _language,
        "answer_language": _answer_language,
    }[task.form](task, rows, language)


def _read(path: Path) -> Iterator[Row]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _rows(task: Task, rows: Sequence[Row], language: str) -> dict[str, Judged]:
    judged = Judged()
    told = outcomes(task.use, task.options, [row["columns"] for row in rows], language)
    for row, outcome in zip(rows, told, strict=True):
        judged.add(row["label"], _counts(task, outcome), _shown(row["columns"], row, outcome))
    return {task.rows: judged}


def _counts(task: Task, outcome: Outcome) -> bool:
    if outcome.reason is None:
        return False
    return not task.reasons or outcome.reason in task.reasons


def _pairs(task: Task, rows: Sequence[Row], language: str) -> dict[str, Judged]:
    """Each first text stands in a stream that is not to be repeated."""
    judged = Judged()
    for row, detail in zip(rows, _repeated(task, rows, language), strict=True):
        shown = f"{row['kind']}: {row['first']!r} | {row['second']!r}"
        judged.add(row["same"], detail is not None, shown)
    return {task.rows: judged}


def _repeated(task: Task, rows: Sequence[Row], language: str) -> list[str | None]:
    """The id of its own first text where a second is found to repeat it.

    A filter names one text that is repeated. Where it names another pair's, the pair is judged
    again among fewer, at last by itself.
    """
    firsts = [{"instruction": row["first"]} for row in rows]
    seconds = [{"instruction": row["second"]} for row in rows]
    options = {**task.options, "against": ["firsts"]}
    told = outcomes(task.use, options, seconds, language, {"firsts": firsts})
    found = [outcome.detail.partition(" ")[0] if outcome.reason else None for outcome in told]
    foreign = [
        place
        for place, first in enumerate(firsts)
        if found[place] not in (None, record_id("firsts", first))
    ]
    if len(foreign) == len(rows) > 1:
        half = len(rows) // 2
        return _repeated(task, rows[:half], language) + _repeated(task, rows[half:], language)
    if foreign and len(rows) > 1:
        again = _repeated(task, [rows[place] for place in foreign], language)
        for place, detail in zip(foreign, again, strict=True):
            found[place] = detail
    return found


def _pii(task: Task, rows: Sequence[Row], language: str) -> dict[str, Judged]:
    """A value is found where it stands no more; a row without values is wrong where it changed."""
    kinds: dict[str, Judged] = {"rows without": Judged()}
    told = outcomes(task.use, task.options, [row["columns"] for row in rows], language)
    for row, outcome in zip(rows, told, strict=True):
        left = json.dumps(outcome.columns, ensure_ascii=False)
        whole = json.dumps(row["columns"], ensure_ascii=False)
        shown = f"{whole[:400]} → {left[:400]}"
        for kind, value in row["values"]:
            escaped = json.dumps(value, ensure_ascii=False)[1:-1]
            gone = escaped not in left
            kinds.setdefault(kind, Judged()).add(True, gone, f"{value!r} in {shown}")
        if not row["values"]:
            changed = any(outcome.columns.get(n) != v for n, v in row["columns"].items())
            kinds["rows without"].add(False, changed, shown)
    return kinds


_CHINESE = {"zh-Hans", "zh-Hant", "yue"}


def _language(task: Task, rows: Sequence[Row], language: str) -> dict[str, Judged]:
    """Rows of another language are to be found: all of whose natural language is another."""
    judged = Judged()
    asked = [row for row in rows if row["question"] == row["answer"] or None in _both(row)]
    told = outcomes(task.use, task.options, [row["columns"] for row in asked], language)
    wanted = {"en"} if language == "en" else _CHINESE
    for row, outcome in zip(asked, told, strict=True):
        spoken = {each for each in _both(row) if each}
        other = bool(spoken) and not spoken & wanted
        judged.add(other, outcome.reason is not None, _shown(row["columns"], row, outcome))
    return {"language": judged}


def _both(row: Row) -> tuple[str | None, str | None]:
    return row["question"], row["answer"]


def _answer_language(task: Task, rows: Sequence[Row], language: str) -> dict[str, Judged]:
    """Answers in another language than a question of the wanted one, where none was asked for."""
    judged = Judged()
    wanted = {"en"} if language == "en" else _CHINESE
    asked = [row for row in rows if row["question"] in wanted]
    told = outcomes(task.use, task.options, [row["columns"] for row in asked], language)
    for row, outcome in zip(asked, told, strict=True):
        switched = row["answer"] not in (None, row["question"]) and not _translated(row)
        found = outcome.reason is not None
        judged.add(switched, found, _shown(row["columns"], row, outcome))
    return {"answer_language": judged}


def _translated(row: Row) -> bool:
    return "translat" in row["kind"]


def _contamination(
    task: Task, rows: Sequence[Row], items: Sequence[Row], language: str
) -> dict[str, Judged]:
    """By kind of copy; all rows that copy nothing count as `none`."""
    kinds: dict[str, Judged] = {}
    told = outcomes(
        task.use,
        {**task.options, "against": ["exam"]},
        [row["columns"] for row in rows],
        language,
        {"exam": [{k: v for k, v in item.items() if k != "id"} for item in items]},
    )
    for row, outcome in zip(rows, told, strict=True):
        marked = row["item"] is not None
        judged = kinds.setdefault(row["kind"] if marked else "none", Judged())
        judged.add(marked, outcome.reason is not None, _shown(row["columns"], row, outcome))
    return kinds


def _shown(columns: Row, row: Row, outcome: Outcome) -> str:
    text = json.dumps(columns, ensure_ascii=False)
    return f"{row.get('kind')}: {text[:700]} [{outcome.reason} {outcome.detail}]"
