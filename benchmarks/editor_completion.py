"""What a real yaml-language-server offers at given places of a recipe, asked over LSP.

    npm install --prefix /tmp/yls yaml-language-server
    sftrecipe schema --write schemas
    python benchmarks/editor_completion.py /tmp/yls/node_modules/.bin/yaml-language-server

Every case is a recipe with a mark where the cursor stands, what must be offered there, and what
must not. Exit status 1 where one is not as said.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

CURSOR = "‸"
HEAD = """version: 1
name: patients
providers:
  teacher: {use: openai, model: m}
sources:
  topics: {use: jsonl, path: topics.jsonl}
generate:
  - {id: ask, use: text_generation, from: topics, provider: teacher}
"""


class Server:
    """A language server that is asked over its standard input."""

    def __init__(self, command: str, schema: Path) -> None:
        self._process = subprocess.Popen(
            [command, "--stdio"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._settings = {
            "yaml": {
                "schemas": {schema.as_uri(): "*.yaml"},
                "completion": True,
                "validate": True,
                "hover": True,
                "schemaStore": {"enable": False},
            }
        }
        self._number = 0
        self._ask("initialize", {"processId": None, "rootUri": None, "capabilities": _ABILITIES})
        self._tell("initialized", {})
        self._tell("workspace/didChangeConfiguration", {"settings": self._settings})

    def offered(self, text: str, folder: Path) -> list[dict[str, Any]]:
        """What is offered where the cursor stands."""
        self._number += 1
        file = folder / f"recipe{self._number}.yaml"
        before, _, after = text.partition(CURSOR)
        document = {
            "uri": file.as_uri(),
            "languageId": "yaml",
            "version": 1,
            "text": before + after,
        }
        self._tell("textDocument/didOpen", {"textDocument": document})
        place = {"line": before.count("\n"), "character": len(before) - before.rfind("\n") - 1}
        asked = {"textDocument": {"uri": file.as_uri()}, "position": place}
        reply = self._ask("textDocument/completion", asked) or []
        return list(reply["items"] if isinstance(reply, dict) else reply)

    def close(self) -> None:
        """End the server."""
        self._process.kill()
        self._process.wait()

    def _ask(self, method: str, params: Any) -> Any:
        self._number += 1
        number = self._number
        self._send({"id": number, "method": method, "params": params})
        while True:
            message = self._read()
            if message.get("id") == number and "method" not in message:
                return message.get("result")
            if "id" in message:
                self._send({"id": message["id"], "result": self._answer(message)})

    def _answer(self, message: dict[str, Any]) -> Any:
        if message["method"] == "workspace/configuration":
            return [self._settings.get(item.get("section")) for item in message["params"]["items"]]
        return None

    def _tell(self, method: str, params: Any) -> None:
        self._send({"method": method, "params": params})

    def _send(self, message: dict[str, Any]) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        assert self._process.stdin
        self._process.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
        self._process.stdin.flush()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout
        length = 0
        while line := self._process.stdout.readline().strip():
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        body: dict[str, Any] = json.loads(self._process.stdout.read(length))
        return body


_ABILITIES = {
    "workspace": {"configuration": True},
    "textDocument": {
        "completion": {
            "completionItem": {"documentationFormat": ["markdown"], "snippetSupport": True}
        }
    },
}


def labels(items: list[dict[str, Any]]) -> list[str]:
    """The names that are offered."""
    return [str(item["label"]) for item in items]


CASES: tuple[tuple[str, str, set[str], set[str]], ...] = (
    ("a section", HEAD + f"f{CURSOR}", {"filter", "export"}, {"version", "use"}),
    ("filters", f"{HEAD}filter:\n  - use: {CURSOR}", {"length", "regex"}, {"respond", "jsonl"}),
    ("filters, in braces", f"{HEAD}filter:\n  - {{use: {CURSOR}}}", {"length"}, {"respond"}),
    (
        "options of one filter",
        f"{HEAD}filter:\n  - use: length\n    with:\n      {CURSOR}",
        {"field", "min_chars"},
        {"keep", "temperature"},
    ),
    (
        "options of one filter, in braces",
        f"{HEAD}filter:\n  - {{use: length, with: {{field: output, m{CURSOR}}}}}",
        {"min_chars", "max_chars"},
        {"field", "keep"},
    ),
    (
        "options of one generator",
        f"{HEAD}  - id: a\n    use: respond\n    with: {{s{CURSOR}}}",
        {"samples", "system"},
        {"column", "num_rounds"},
    ),
    (
        "options of a provider, in braces",
        HEAD.replace("model: m", f"b{CURSOR}"),
        {"base_url", "vendor"},
        {"serve", "path"},
    ),
    (
        "streams",
        f"{HEAD}filter:\n  - use: length\n    on: {CURSOR}",
        {"topics", "ask"},
        {"teacher"},
    ),
    (
        "streams, in a list",
        f"{HEAD}  - id: a\n    use: respond\n    from: [{CURSOR}]",
        {"ask"},
        set(),
    ),
    ("streams, as weights", f"{HEAD}mix:\n  weights: {{a{CURSOR}}}", {"ask"}, {"teacher"}),
    (
        "providers",
        f"{HEAD}  - id: a\n    use: respond\n    provider: {CURSOR}",
        {"teacher"},
        {"ask"},
    ),
    ("exports", f"{HEAD}train:\n  use: llamafactory\n  on: {CURSOR}", {"all"}, {"ask"}),
    ("presets", f"{HEAD}extends: {CURSOR}", {"models"}, set()),
    (
        "training arguments",
        f"{HEAD}train:\n  use: llamafactory\n  with:\n    {CURSOR}",
        {"stage", "cutoff_len"},
        {"min_chars"},
    ),
    (
        "values of a training argument",
        f"{HEAD}train:\n  use: llamafactory\n  with: {{stage: {CURSOR}}}",
        {"sft", "dpo"},
        set(),
    ),
    (
        "a profile's blocks, in braces",
        f"{HEAD}profiles:\n  a:\n    filter:\n      - {{use: length, with: {{m{CURSOR}}}}}",
        {"min_chars"},
        {"keep"},
    ),
)


def main(command: str) -> int:
    """Ask the server all cases and print what it offers; how many are not as they should be."""
    wrong = 0
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "recipe.yaml").write_text(HEAD + "export:\n  - {id: all, use: llamafactory}\n")
        subprocess.run(["sftrecipe", "schema", "--project", name], check=True)
        server = Server(command, folder / "recipe.v1.schema.json")
        server.offered(HEAD + f"f{CURSOR}", folder)  # it reads the schema meanwhile
        for about, text, wanted, unwanted in CASES:
            found = labels(server.offered(text, folder))
            good = wanted <= set(found) and not unwanted & set(found)
            wrong += not good
            print(f"{'ok ' if good else 'NOT'} {about}: {len(found)}: {', '.join(found[:6])}")
        server.close()
    return wrong


if __name__ == "__main__":
    sys.exit(bool(main(*sys.argv[1:])))
