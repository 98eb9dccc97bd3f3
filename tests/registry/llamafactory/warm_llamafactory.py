"""LLaMA-Factory, imported once for many commands: its import takes longer than a tiny training.

`python warm_llamafactory.py SOCKET` (of the training environment) imports it, says `ready` and then
forks a process for every command; `python warm_llamafactory.py SOCKET train train.yaml` is such a
command, in the caller's folder and with its variables and output.
"""

from __future__ import annotations

import json
import os
import socket
import struct
import sys
import traceback
from pathlib import Path

STATUS = struct.Struct("i")


def serve(path: str) -> None:
    import llamafactory.train.tuner  # noqa: F401, PLC0415 - the caller has none
    from llamafactory import launcher  # noqa: PLC0415

    listening = socket.socket(socket.AF_UNIX)
    listening.bind(path)
    listening.listen()
    print("ready", flush=True)
    while True:
        asking, _ = listening.accept()
        message, outputs, _, _ = socket.recv_fds(asking, 1 << 20, 2)
        child = os.fork()
        if child == 0:
            os.dup2(outputs[0], 1)
            os.dup2(outputs[1], 2)
            status = command(launcher, **json.loads(message))
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(status)
        for descriptor in outputs:
            os.close(descriptor)
        _, ended = os.waitpid(child, 0)
        asking.sendall(STATUS.pack(os.waitstatus_to_exitcode(ended)))
        asking.close()


def command(launcher, arguments, folder, variables) -> int:  # type: ignore[no-untyped-def]
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.argv = ["llamafactory-cli", *arguments]
    try:
        launcher.launch()
    except SystemExit as end:
        return int(end.code or 0)
    except BaseException:
        traceback.print_exc()
        return 1
    return 0


def ask(path: str, arguments: list[str]) -> int:
    asking = socket.socket(socket.AF_UNIX)
    asking.connect(path)
    asked = {"arguments": arguments, "folder": str(Path.cwd()), "variables": dict(os.environ)}
    socket.send_fds(asking, [json.dumps(asked).encode()], [1, 2])
    return int(STATUS.unpack(asking.recv(STATUS.size, socket.MSG_WAITALL))[0])


if __name__ == "__main__":
    if len(sys.argv) > 2:
        sys.exit(ask(sys.argv[1], sys.argv[2:]))
    serve(sys.argv[1])
