"""Real shells complete commands, options, recipes, profiles and names."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

RECIPE = """\
version: 1
name: one
extends: base.yaml
profiles:
  ernie: {}
  openai: {}
"""
TRIES = """\
sftrecipe() { "$PYTHON" -m sftrecipe.cli.main "$@"; }
compopt() { echo "compopt $*"; }
source <(sftrecipe completion bash | sed 's|"$1"|"$PYTHON" -m sftrecipe.cli.main|')
while IFS= read -r line; do
    COMP_WORDS=($line); [[ $line == *" " ]] && COMP_WORDS+=("")
    COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
    _sftrecipe_completion sftrecipe
    echo "$line> ${COMPREPLY[*]}"
done
"""
CASES = {
    "sftrecipe ru": "run",
    "sftrecipe run --re": "--retry-failed",
    "sftrecipe run b": "base.yaml broken.yml",
    "sftrecipe run 一.yaml --profile ": "ernie openai vllm",
    "sftrecipe run 一.yaml --profile v": "vllm",
    "sftrecipe run 一.yaml --to t": "train",
    "sftrecipe plugins show exact_d": "exact_dedup",
    "sftrecipe schema filter.exact_d": "filter.exact_dedup",
    "sftrecipe report o": "one",
    "sftrecipe init new --provider deeps": "deepseek",
    "sftrecipe run broken.yml --profile ": "typed",
    "sftrecipe run none.yaml --profile ": "",
    "sftrecipe run named.yaml --profile ": "shelved",
    "sftrecipe presets show mi": "mine",
}
ZSH_TRIES = """\
sftrecipe() { "$PYTHON" -m sftrecipe.cli.main "$@"; }
compdef() { }
compset() { return 1; }
compadd() { offered+=("${(@P)@[-1]}"); }
_describe() { offered+=("${(@)${(@P)3}%%:*}"); }
_path_files() { asked+=("$*"); }
source <(sftrecipe completion zsh | sed 's|te sftrecipe |te "$PYTHON" -m sftrecipe.cli.main |')
while IFS= read -r line; do
    words=(${=line}) offered=(); [[ $line == *" " ]] && words+=("")
    CURRENT=$#words
    _sftrecipe_completion
    print -r -- "$line> $offered"
done
print -r -- "folders $asked"
"""
FISH_TRIES = """\
function sftrecipe; $PYTHON -m sftrecipe.cli.main $argv; end
sftrecipe completion fish | sed 's|) sftrecipe |) $PYTHON -m sftrecipe.cli.main |' | source
while read line
    printf '%s> %s\\n' $line (complete -C "$line" | string replace -r '\\t.*' '' | string join ' ')
end
complete -C 'sftrecipe '
"""
ELSEWHERE = {
    "sftrecipe run b": "base.yaml broken.yml",
    "sftrecipe run --re": "--retry-failed",
    "sftrecipe run w": "with, a comma.yaml",
    "sftrecipe run 一.yaml --profile ": "ernie openai vllm",
    "sftrecipe report o": "one",
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "一.yaml").write_text(RECIPE, encoding="utf-8")
    (tmp_path / "broken.yml").write_text("version: 1\nprofiles:\n  typed:\n    vars: {a: [\n")
    (tmp_path / "base.yaml").write_text("version: 1\nprofiles: {vllm: {}}\n")
    (tmp_path / "named.yaml").write_text("version: 1\nextends: mine\n")
    (tmp_path / "presets").mkdir()
    (tmp_path / "presets" / "mine.yaml").write_text("version: 1\nprofiles: {shelved: {}}\n")
    (tmp_path / "runs" / "one").mkdir(parents=True)
    (tmp_path / "runs" / "one" / "run.json").write_text("{}")
    (tmp_path / ".sftrecipe").mkdir()
    return tmp_path


def answered(folder: Path, shell: list[str], cases: dict[str, str]) -> tuple[dict[str, str], str]:
    """What a shell offered for every line, and all that it printed."""
    if shutil.which(shell[0]) is None:
        pytest.skip(f"there is no {shell[0]}")
    done = subprocess.run(
        shell,
        cwd=folder,
        env={**os.environ, "PYTHON": sys.executable, "LC_ALL": "C.UTF-8", "HOME": str(folder)},
        input="".join(f"{line}\n" for line in cases),
        capture_output=True,
        text=True,
        check=True,
    )
    assert not done.stderr
    told = dict(line.split("> ", 1) for line in done.stdout.splitlines() if "> " in line)
    return told, done.stdout


def test_what_bash_completes(folder: Path) -> None:
    told, printed = answered(folder, ["bash", "-c", TRIES], CASES)
    assert told == CASES
    assert "compopt -o\nplusdirs" in printed


def test_what_zsh_completes(folder: Path) -> None:
    (folder / "with, a comma.yaml").touch()
    told, printed = answered(folder, ["zsh", "-f", "-c", ZSH_TRIES], ELSEWHERE)
    assert told == ELSEWHERE
    assert "folders -/ -/ -/" in printed


def test_zsh_loads_what_completes_where_nothing_did(folder: Path) -> None:
    script = 'source <("$PYTHON" -m sftrecipe.cli.main completion zsh); print $_comps[sftrecipe]'
    _, printed = answered(folder, ["zsh", "-f", "-c", script], {})
    assert printed == "_sftrecipe_completion\n"


def test_what_fish_completes(folder: Path) -> None:
    (folder / "with, a comma.yaml").touch()
    (folder / "sub" / "deep").mkdir(parents=True)
    cases = ELSEWHERE | {"sftrecipe run sub/d": "sub/deep/"}
    told, printed = answered(folder, ["fish", "-c", FISH_TRIES], cases)
    assert told == cases
    assert "history\tList the runs of a project, and what..." in printed
