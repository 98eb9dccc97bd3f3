"""`sftrecipe completion`: have a shell complete what is typed."""

from __future__ import annotations

import contextlib
import os
import sys
from pathlib import Path

import click
from click.shell_completion import (
    BashComplete,
    FishComplete,
    ShellComplete,
    ZshComplete,
)

from sftrecipe.cli.command_line.help_page import PageCommand

ASKED = "_SFTRECIPE_COMPLETE"
"""The variable by which a shell asks for completions."""
_PROGRAM = "sftrecipe"
_BASH = """\
%(complete_func)s() {
    local IFS=$'\\n' response kind value
    response=$(env COMP_WORDS="${COMP_WORDS[*]}" COMP_CWORD=$COMP_CWORD \
%(complete_var)s=bash_complete "$1" 2>/dev/null)
    COMPREPLY=()
    for completion in $response; do
        kind=${completion%%%%,*} value=${completion#*,}
        case $kind in
            dir) compopt -o plusdirs ;;
            file) compopt -o default ;;
            plain) COMPREPLY+=("$value") ;;
        esac
    done
}
complete -o nosort -F %(complete_func)s %(prog_name)s
"""
_ZSH = """\
#compdef %(prog_name)s
%(complete_func)s() {
    local -a plain described response
    local kind value told
    response=("${(@f)$(env COMP_WORDS="${words[*]}" COMP_CWORD=$((CURRENT - 1)) \
%(complete_var)s=zsh_complete %(prog_name)s 2>/dev/null)}")
    for kind value told in "${(@)response}"; do
        case $kind in
            dir) _path_files -/ ;;
            file) _path_files -f ;;
            plain) [[ $told == _ ]] && plain+=("$value") || described+=("$value:$told") ;;
        esac
    done
    (( $#described )) && _describe -V unsorted described -U
    compset -P '*/' && plain=("${(@)plain##*/}")
    (( $#plain )) && compadd -V unsorted -a plain
}
if [[ $zsh_eval_context[-1] == loadautofunc ]]; then
    %(complete_func)s "$@"
else
    (( $+functions[compdef] )) || { autoload -Uz compinit && compinit }
    compdef %(complete_func)s %(prog_name)s
fi
"""
_FISH = """\
function %(complete_func)s
    set -l response (env %(complete_var)s=fish_complete \
COMP_WORDS=(commandline -cp) COMP_CWORD=(commandline -t) %(prog_name)s 2>/dev/null)
    for completion in $response
        set -l parts (string split -m 1 , -- $completion)
        switch $parts[1]
            case dir
                __fish_complete_directories $parts[2]
            case file
                __fish_complete_path $parts[2]
            case plain
                echo $parts[2]
        end
    end
end
complete --no-files --command %(prog_name)s --arguments "(%(complete_func)s)"
"""


class _Bash(BashComplete):
    """Folders are offered beside files, and no version is asked of the shell."""

    source_template = _BASH

    def source(self) -> str:
        """The script."""
        return self.source_template % self.source_vars()


class _Zsh(ZshComplete):
    """A value that is empty takes its place, so that those behind it keep theirs."""

    source_template = _ZSH


class _Fish(FishComplete):
    """Only the first comma parts: values and what is told of them have commas too."""

    source_template = _FISH


SHELLS: dict[str, type[ShellComplete]] = {"bash": _Bash, "zsh": _Zsh, "fish": _Fish}


@click.command(cls=PageCommand)
@click.argument("shell", required=False, type=click.Choice(list(SHELLS)))
def completion(shell: str | None) -> None:
    """Print the script by which a shell completes commands, options, recipes, names.

    SHELL is bash, zsh or fish; the one that the variable SHELL names where it is left out. Nothing
    is asked of the network.
    """
    shell = shell or Path(os.environ.get("SHELL", "")).name
    found = SHELLS.get(shell)
    if found is None:
        raise click.UsageError(f"SHELL: {', '.join(SHELLS)}")
    click.echo(found(click.Group(), {}, _PROGRAM, ASKED).source())


def answer_shell(cli: click.Command) -> int:
    """Print the completions that a shell asks for; whatever goes wrong, only fewer of them."""
    sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115, PTH123 - until the end
    with contextlib.suppress(Exception):
        shell, _, _ = os.environ[ASKED].partition("_")
        click.echo(SHELLS[shell](cli, {}, _PROGRAM, ASKED).complete())
    return 0
