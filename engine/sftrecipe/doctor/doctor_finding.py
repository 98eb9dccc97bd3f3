"""What a check found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sftrecipe.errors import Problem, SftrecipeError
from sftrecipe.plugin.base import CheckState, MachineCheck


@dataclass(frozen=True)
class DoctorFinding:
    """One check's result."""

    check: str
    """What was checked: installation, plugins, folder, ledger, provider, limits, price, budget …"""
    subject: str
    """Which one: a provider's name, a block's id, a folder; empty where there is but one."""
    state: CheckState
    found: Problem
    """The text, and what to do."""
    facts: Mapping[str, Any] = field(default_factory=dict)
    """The same as plain data, for programs."""


def ok(check: str, subject: str, slug: str, **values: object) -> DoctorFinding:
    """All is well."""
    return DoctorFinding(check, subject, "ok", Problem(slug, None, values), values)


def warning(check: str, subject: str, slug: str, hint: str, **values: object) -> DoctorFinding:
    """It works, but somebody should look."""
    return DoctorFinding(check, subject, "warning", Problem(slug, None, values, hint), values)


def fault(check: str, subject: str, slug: str, hint: str | None, **values: object) -> DoctorFinding:
    """A run would fail."""
    return DoctorFinding(check, subject, "fault", Problem(slug, None, values, hint), values)


def need_finding(check: str, subject: str, use: str, found: MachineCheck) -> DoctorFinding:
    """What a plugin says of the machine, or of its server."""
    values = {"use": use, "text": found.found, "advice": found.advice}
    problem = Problem("doctor-needs", None, values, "advice" if found.advice else None)
    return DoctorFinding(check, subject, found.state, problem, values)


def raised(check: str, subject: str, error: SftrecipeError) -> DoctorFinding:
    """The fault that an error tells of."""
    return DoctorFinding(check, subject, "fault", error.problem, {})
