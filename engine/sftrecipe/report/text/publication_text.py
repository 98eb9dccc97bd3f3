"""What is sent to a hub, as a terminal shows it before anything is sent."""

from __future__ import annotations

import os
from collections.abc import Mapping

from sftrecipe.messages import message
from sftrecipe.plugin.model_copy import Hub
from sftrecipe.report.text.table import table

_ADDRESSES: Mapping[Hub, tuple[str, str, str]] = {
    "huggingface": ("HF_ENDPOINT", "https://huggingface.co", "HF_TOKEN"),
    "modelscope": ("MODELSCOPE_ENDPOINT", "https://www.modelscope.cn", "MODELSCOPE_API_TOKEN"),
}
"""The variable that names another address, the usual one, the variable with the token."""


def publication_text(
    sizes: Mapping[str, int], hub: Hub, repository: str, *, private: bool, sent: bool
) -> str:
    """Every file with its bytes, where it goes, who sees it, and whose token is used."""
    variable, usual, token = _ADDRESSES[hub]
    values = {
        "address": (os.environ.get(variable) or usual).rstrip("/"),
        "repository": repository,
        "files": len(sizes),
        "bytes": f"{sum(sizes.values()):,}",
        "token": token,
    }
    lines = [[name, f"{size:,}"] for name, size in sizes.items()]
    account = "publication-token" if os.environ.get(token) else "publication-login"
    return "\n".join(
        [
            message("publication-head", values),
            table([], lines, indent="  "),
            message("publication-private" if private else "publication-public", values),
            message(account, values),
            *([] if sent else [message("publication-not-sent", values)]),
        ]
    )
