"""HealthCareMagic-100k."""

from __future__ import annotations

from typing import ClassVar

from sftrecipe_registry.sources.medical.doctor_dialogue import DoctorDialogue


class HealthCareMagic(DoctorDialogue):
    """Read HealthCareMagic-100k: patients' questions and doctors' answers from a consulting site.

    Training on patients' text needs a look at consent and privacy.
    """

    paper: ClassVar[str] = "ChatDoctor (arXiv 2303.14070)"
    example: ClassVar[str] = (
        "{use: healthcaremagic, path: data/HealthCareMagic-100k.json, instruction: system}"
    )
