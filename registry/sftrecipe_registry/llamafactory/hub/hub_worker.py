"""Sends a folder to a model hub: runs in an environment that has the hub's client, not the
engine's. Its arguments: the settings as JSON, and the file for its answer."""

from __future__ import annotations

import json
import re
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

_MESSAGE = "Model and card, by sftrecipe"


def main(settings: dict[str, Any], answer: Path) -> int:
    """Send; the exit status."""
    send = {"huggingface": to_hugging_face, "modelscope": to_modelscope}[settings["hub"]]
    try:
        found = send(settings)
    except Exception as error:
        words = " ".join(str(error).split())
        answer.write_text(json.dumps({"error": f"{type(error).__name__}: {words[:500]}"}), "utf-8")
        return 1
    answer.write_text(json.dumps(found), "utf-8")
    return 0


def to_hugging_face(settings: dict[str, Any]) -> dict[str, str]:
    """By huggingface_hub: what the repository holds already is not sent again."""
    from huggingface_hub import HfApi  # noqa: PLC0415

    api, name = HfApi(), settings["repository"]
    api.create_repo(name, private=settings["private"], exist_ok=True)
    before = api.repo_info(name)
    if settings["private"] and not before.private:
        raise PermissionError(f"{name} is public already; --public sends to it")
    told = api.upload_folder(repo_id=name, folder_path=settings["folder"], commit_message=_MESSAGE)
    after = api.repo_info(name).sha
    did = "everything was there already" if after == before.sha else f"commit {after}"
    address = str(getattr(told, "repo_url", "") or f"{api.endpoint}/{name}")
    return {"address": address, "did": did}


def to_modelscope(settings: dict[str, Any]) -> dict[str, str]:
    """By modelscope_hub; files of which the repository has the same are left out."""
    from modelscope_hub import HubApi  # noqa: PLC0415

    api, name, folder = HubApi(), settings["repository"], Path(settings["folder"])
    private = settings["private"]
    if not api.repo_exists(name, "model"):
        visibility = "private" if private else "public"
        # Its own default is Apache-2.0, which nobody said.
        api.create_repo(name, "model", visibility=visibility, license=_license(folder) or "other")
    elif private and api.get_repo(name, "model").visibility == 5:
        raise PermissionError(f"{name} is public already; --public sends to it")
    there = {each.path: each.sha256 for each in api.list_repo_files(name, "model")}
    new = [file.name for file in sorted(folder.iterdir()) if there.get(file.name) != _hash(file)]
    if new:
        api.upload_folder(
            name, "model", folder, commit_message=_MESSAGE, allow_patterns=new,
            use_cache=False, disable_tqdm=True,
        )  # fmt: skip
    endpoint = str(api._config.endpoint).rstrip("/")
    did = f"{len(new)} files sent" if new else "everything was there already"
    return {"address": f"{endpoint}/models/{name}", "did": did}


def _license(folder: Path) -> str:
    """What the card says."""
    head = (folder / "README.md").read_text("utf-8").split("---")[1]
    found = re.search(r"^license: (.+)$", head, re.MULTILINE)
    return found[1].strip() if found else ""


def _hash(file: Path) -> str:
    with file.open("rb") as opened:
        found = sha256()
        while part := opened.read(1 << 20):
            found.update(part)
    return found.hexdigest()


if __name__ == "__main__":
    sys.exit(main(json.loads(sys.argv[1]), Path(sys.argv[2])))
