"""GenMedGPT-5k."""

from __future__ import annotations

from typing import ClassVar

from sftrecipe_registry.sources.medical.doctor_dialogue import DoctorDialogue


class GenMedGpt(DoctorDialogue):
    """Read GenMedGPT-5k: conversations of patients and doctors that ChatGPT wrote."""

    paper: ClassVar[str] = "ChatDoctor (arXiv 2303.14070)"
    example: ClassVar[str] = "{use: genmedgpt, path: data/GenMedGPT-5k.json, sample: 500}"
