"""What `doctor` found, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import orjson

from sftrecipe.doctor.doctor_finding import DoctorFinding
from sftrecipe.messages import user_language
from sftrecipe.report.text.folding import NARROWEST, cells, folded, screen_width

_MARKS = {"ok": "✓", "warning": "!", "fault": "✗", "advice": "→"}
_UNFOLDED = 10**6
_PLAIN = {"ok": "ok", "warning": "! ", "fault": "x ", "advice": "->"}
_CHECKS = {
    "zh": {
        "installation": "安装",
        "plugins": "插件",
        "plugin": "插件",
        "folder": "文件夹",
        "ledger": "调用账本",
        "needs": "依赖",
        "provider": "服务",
        "limits": "限额",
        "price": "价格",
        "budget": "预算",
    }
}
_LAST = {
    "en": ("all is well", "{faults} to repair, {warnings} to look at"),
    "zh": ("一切正常", "需修复 {faults} 项，需留意 {warnings} 项"),
}


def fault_count(findings: Sequence[DoctorFinding]) -> int:
    """How many would make a run fail."""
    return sum(finding.state == "fault" for finding in findings)


def doctor_text(findings: Sequence[DoctorFinding], encoding: str = "utf-8") -> str:
    """A line a finding, what to do under it; marks of ASCII where the encoding has no others."""
    marks = _marks(encoding)
    names = [f"{marks[each.state]} {_finding_name(each)}" for each in findings]
    width = max(map(cells, names), default=0) + 2
    room = max((screen_width() or _UNFOLDED) - width, NARROWEST)
    lines = []
    for finding, name in zip(findings, names, strict=True):
        first, *rest = folded(finding.found.message(), room)
        lines.append(f"{name}{' ' * (width - cells(name))}{first}")
        lines += [" " * width + each for each in rest]
        if advice := finding.found.advice():  # not folded: a command is copied from it
            lines.append(f"{' ' * width}{marks['advice']} {advice}")
    return "\n".join([*lines, _summary_line(findings)])


def doctor_json(findings: Sequence[DoctorFinding], recipe: Path | None) -> str:
    """The same as JSON."""
    facts = {
        "ok": not fault_count(findings),
        "recipe": str(recipe) if recipe else None,
        "checks": [
            {
                "check": finding.check,
                "subject": finding.subject,
                "state": finding.state,
                "slug": finding.found.slug,
                "message": finding.found.message(),
                "hint": finding.found.advice(),
                "facts": finding.facts,
            }
            for finding in findings
        ],
    }
    return orjson.dumps(facts, option=orjson.OPT_INDENT_2).decode()


def _marks(encoding: str) -> dict[str, str]:
    try:
        "".join(_MARKS.values()).encode(encoding)
    except UnicodeEncodeError:
        return _PLAIN
    return _MARKS


def _finding_name(finding: DoctorFinding) -> str:
    known = _CHECKS.get(user_language(), {})
    subject = "" if finding.check == "folder" else finding.subject
    return f"{known.get(finding.check, finding.check)} {subject}".rstrip()


def _summary_line(findings: Sequence[DoctorFinding]) -> str:
    well, numbers = _LAST[user_language()]
    warnings = sum(finding.state == "warning" for finding in findings)
    wrong = fault_count(findings)
    return numbers.format(faults=wrong, warnings=warnings) if wrong or warnings else well
