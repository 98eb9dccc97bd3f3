"""The ledger of the project."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from sftrecipe.calls.ledger.database import ledger_health
from sftrecipe.doctor.finding import Finding, ok, raised, warning
from sftrecipe.doctor.folders import size
from sftrecipe.errors import SftrecipeError


def check_ledger(path: Path) -> Iterator[Finding]:
    """Whether it opens and is sound, and what engines that died have left."""
    shown = str(path)
    try:
        health = ledger_health(path)
    except SftrecipeError as error:
        yield raised("ledger", "", error)
        return
    if health is None:
        yield ok("ledger", "", "doctor-no-ledger", path=shown)
        return
    facts = {
        "path": shown,
        "calls": health.calls,
        "size": size(health.bytes),
        "version": health.version,
    }
    slug = "doctor-ledger" if health.read_through else "doctor-ledger-large"
    yield ok("ledger", "", slug, **facts, in_flight=health.in_flight)
    if health.lost:
        hint = "doctor-ledger-lost"
        yield warning("ledger", "", "doctor-ledger-lost", hint, count=health.lost)
    if health.left:
        yield ok("ledger", "", "doctor-ledger-left", count=health.left)
