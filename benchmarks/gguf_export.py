"""Whether a GGUF that `write_gguf` makes answers as transformers does; prints a table.

    PY=the training environment's python
    $PY benchmarks/gguf_reference.py FOLDER MODEL…
    python benchmarks/gguf_export.py FOLDER

MODEL…: whole models (merged), such as runs/NAME/model/merged; the first one's tokenizer serves the
random models too. Needs the extra `embedded`.
"""

from __future__ import annotations

import json
import sys
import urllib.request
from pathlib import Path
from typing import Any

import xllamacpp

from sftrecipe.plugin import PluginRefused
from sftrecipe_registry.shared.models.gguf_model import GGUF_NUMBERS, write_gguf


def main(folder: Path) -> None:
    reference = json.loads((folder / "reference.json").read_text("utf-8"))
    print("| model | numbers | MB | texts tokenized the same | prompts the same | answers the same "
          "| tokens the same, forced | most logprob difference |")  # fmt: skip
    print("|---|---|---|---|---|---|---|---|")
    for name, facts in reference.items():
        own = Path(name).is_absolute()
        for numbers in GGUF_NUMBERS if own else ("f32",):
            file = folder / f"{Path(name).name}-{numbers}.gguf"
            try:
                write_gguf(Path(name) if own else folder / name, file, numbers)
            except PluginRefused as error:
                print(f"| {Path(name).name} | {numbers} | refused: {error} |")
                break
            size = file.stat().st_size / 1e6
            row = " | ".join(compare(file, facts))
            print(f"| {Path(name).name} | {numbers} | {size:.0f} | {row} |", flush=True)


class Server:
    """llama.cpp's own server on a file."""

    def __init__(self, file: Path) -> None:
        params = xllamacpp.CommonParams()
        params.model.path = str(file)
        params.n_parallel = 1
        params.n_ctx = 1024
        params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
        # Else keys and values are rounded to 16 bits, which a table of what is written would show.
        params.cache_type_k = params.cache_type_v = xllamacpp.ggml_type.GGML_TYPE_F32
        params.flash_attn_type = xllamacpp.llama_flash_attn_type.LLAMA_FLASH_ATTN_TYPE_DISABLED
        params.verbosity = -1
        params.ui = False
        self.server = xllamacpp.Server(params)

    def post(self, path: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            self.server.listening_address + path, json.dumps(body).encode(),
            {"Content-Type": "application/json"},
        )  # fmt: skip
        with urllib.request.urlopen(request) as reply:
            return json.loads(reply.read())


def compare(file: Path, facts: dict[str, Any]) -> list[str]:
    """What is the same, as columns of the table."""
    server = Server(file)
    odd = [
        (text, server.post("/tokenize", {"content": text, "parse_special": True})["tokens"], known)
        for text, known in facts["odd"]
    ]
    for text, found, known in odd:
        if found != known:
            print(f"  {text[:40]!r}: {found[:12]} for {known[:12]}", file=sys.stderr)
    prompts = same = forced = tokens = 0
    most = 0.0
    for each in facts["answers"]:
        asked = {"messages": [{"role": "user", "content": question(each["prompt"])}]}
        prompts += server.post("/apply-template", asked)["prompt"] == each["prompt"]
        given, known = each["given"], each["written"]
        text = generate(server, given, len(known))["tokens"]
        same += text in (known, known[:-1])  # the end is not always among them
        for at, token in enumerate(known):  # along transformers' own answer
            first = generate(server, given + known[:at], 1).get("completion_probabilities")
            if not first:  # the end, which llama.cpp does not write
                continue
            tokens += 1
            forced += first[0]["id"] == token
            odds = {top["id"]: top["logprob"] for top in first[0]["top_logprobs"]}
            if token in odds:
                most = max(most, abs(odds[token] - each["logprobs"][at]))
    right = sum(found == known for _, found, known in odd)
    count = len(facts["answers"])
    return [f"{right} of {len(odd)}", f"{prompts} of {count}", f"{same} of {count}",
            f"{forced} of {tokens}", f"{most:.4f}"]  # fmt: skip


def generate(server: Server, given: list[int], most: int) -> dict[str, Any]:
    body = {
        "prompt": given, "n_predict": most, "temperature": 0, "n_probs": 5,
        "cache_prompt": most == 1, "return_tokens": True,
    }  # fmt: skip
    reply: dict[str, Any] = server.post("/completion", body)
    return reply


def question(prompt: str) -> str:
    """The user's turn in a prompt of ChatML."""
    return prompt.split("<|im_start|>user\n")[1].split("<|im_end|>", maxsplit=1)[0]


if __name__ == "__main__":
    main(Path(sys.argv[1]))
