"""Sending a folder to a model hub, by the hub's own client in whichever environment has it."""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from sftrecipe.plugin import ModelUpload, PluginRefused, Texts, install_command
from sftrecipe_registry.llamafactory.training.environment import (
    training_python,
    training_site_packages,
)
from sftrecipe_registry.shared.processes.server_log import last_line, telling_lines
from sftrecipe_registry.shared.processes.server_process import kept_process
from sftrecipe_registry.shared.processes.variables import process_variables

texts = Texts(__package__)
_WORKER = Path(__file__).with_name("hub_worker.py")
_PACKAGES = {"huggingface": "huggingface_hub", "modelscope": "modelscope_hub"}
_TOKENS = {"huggingface": ("HF_TOKEN",), "modelscope": ("MODELSCOPE_API_TOKEN",)}
_ADDRESSES = ("MODELSCOPE_ENDPOINT", "MODELSCOPE_HOME")
_TELL, _LOOK = 10.0, 0.2


async def upload(sent: ModelUpload) -> str:
    """Send it; the address where it is seen. Raises PluginRefused with the hub's own words."""
    python = _python_with(_PACKAGES[sent.hub])
    settings = {
        "hub": sent.hub,
        "repository": sent.repository,
        "private": sent.private,
        "folder": str(sent.folder),
    }
    # The hub's own token and no other: each is sent to its own hub alone.
    variables = process_variables(python, {*_TOKENS[sent.hub], *_ADDRESSES})
    variables |= {"HF_HUB_DISABLE_PROGRESS_BARS": "1", "HF_HUB_DISABLE_TELEMETRY": "1"}
    with tempfile.TemporaryDirectory(prefix="sftrecipe-hub-") as folder:
        log = Path(folder) / "upload.log"
        answer = Path(folder) / "answer.json"
        command = [str(python), "-I", str(_WORKER), json.dumps(settings), str(answer)]
        waited = 0.0
        async with kept_process(sent.hub, command, variables, log) as process:
            while not process.ended:
                await asyncio.sleep(_LOOK)
                waited += _LOOK
                if waited >= _TELL:
                    waited = 0.0
                    sent.say(f"{sent.hub}: {last_line(log) or 'sending'}")
        found = json.loads(answer.read_text("utf-8")) if answer.exists() else {}
        if "address" not in found:
            said = found.get("error") or telling_lines(log) or process.status
            values = {"hub": sent.hub, "repository": sent.repository, "error": said}
            raise PluginRefused(texts("not-sent", **values))
    sent.say(str(found["did"]))
    return str(found["address"])


def _python_with(package: str) -> Path:
    """A python that has the hub's client: this one, or the training environment's."""
    if find_spec(package) is not None:
        return Path(sys.executable)
    folder = training_site_packages()
    python = training_python()
    if folder is not None and python is not None and (folder / package).is_dir():
        return python
    name = package.replace("_", "-")
    command = f"{install_command()} {name}"
    raise PluginRefused(texts("client-missing", package=name, command=command))
