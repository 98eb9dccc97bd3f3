"""The map of topics by embeddings that the ledger holds."""

from __future__ import annotations

from pathlib import Path

from sftrecipe.calls.ledger.call_ledger import Ledger
from sftrecipe.calls.ledger.entries import NOTHING_RESERVED, Claim, Ended
from sftrecipe.plugin.provider import Answer
from sftrecipe.record import new_record
from sftrecipe.report.pages.run.facts.opened_run import OpenedRun
from sftrecipe.report.pages.run.facts.secret_values import Scrub
from sftrecipe.report.pages.run.facts.topic_map import topic_map
from sftrecipe.run.run_record import RunRecord
from sftrecipe.store.artifacts import StepStore


async def keep_vectors(path: Path, vectors: dict[str, tuple[float, ...]]) -> None:
    ledger = Ledger(path, "run")
    for key, vector in vectors.items():
        ledger.claim(Claim(key, "p", "m", "embed", "step", "{}", None))
        await ledger.end(
            Ended(key, "step", "done", 0.1, NOTHING_RESERVED, Answer("", vector=vector))
        )
    ledger.close()


async def test_embeddings_of_a_step_place_the_rows(tmp_path: Path) -> None:
    """Rows whose words tell nothing are parted by their vectors alone."""
    vectors = {f"{n:064x}": (1.0, 0.01 * n, 0.0) if n % 2 else (0.0, 0.01 * n, 1.0)
               for n in range(40)}  # fmt: skip
    path = tmp_path / "ledger.sqlite"
    await keep_vectors(path, vectors)
    rows = [
        new_record("s", {"instruction": f"same words {n}"}, calls=("0" * 63 + "x", key))
        for n, key in enumerate(vectors)
    ]
    opened = OpenedRun(tmp_path, RunRecord(), StepStore(tmp_path), path, Scrub({}))
    opened.__dict__["sample"] = rows
    found = topic_map(opened)
    assert found is not None
    assert found.by == "embeddings"
    side = {point.text: point.x for point in found.points}
    odd = [side[f"same words {n}"] for n in range(1, 40, 2)]
    even = [side[f"same words {n}"] for n in range(0, 40, 2)]
    assert max(odd) < min(even) or max(even) < min(odd)

    opened.__dict__["sample"] = [*rows, new_record("s", {"instruction": "same words without"})]
    other = topic_map(opened)
    assert other is None or other.by == "terms"
