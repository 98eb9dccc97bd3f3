"""What a training would run on: this machine's GPUs, or its memory, without importing torch."""

from __future__ import annotations

import os
import subprocess
from functools import cache
from pathlib import Path
from typing import NamedTuple

_GPU_FILES = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg")
_OTHER_GPUS = ("/dev/kfd", "/dev/davinci_manager")
_CGROUP = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_ASK = ("nvidia-smi", "--query-gpu=name,memory.total", "--format=csv,noheader,nounits")
_SECONDS = 5.0


class Device(NamedTuple):
    """One of the devices that train, all alike."""

    name: str
    """`CPU`, or the GPU's."""
    memory: int | None
    """Bytes; None: not known."""
    number: int = 1

    @property
    def on_cpu(self) -> bool:
        """Whether it is no GPU."""
        return self.name == CPU


CPU = "CPU"


def training_device(*, use_cpu: bool) -> Device:
    """The device that LLaMA-Factory would train on here."""
    gpus = () if use_cpu else _gpus()
    if not gpus:
        return Device(CPU, machine_memory())
    name, memory = min(gpus, key=lambda each: each[1])
    return Device(name, memory or None, len(gpus))


def machine_memory() -> int | None:
    """This machine's memory in bytes, or what a container leaves of it."""
    try:
        found = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    for path in _CGROUP:
        try:
            limit = Path(path).read_text(encoding="ascii").strip()
        except OSError:
            continue
        if limit.isdecimal():
            found = min(found, int(limit))
    return found


@cache
def _gpus() -> tuple[tuple[str, int], ...]:
    """Names and bytes of the GPUs that a process may use."""
    if any(Path(file).exists() for file in _OTHER_GPUS):
        return (("GPU", 0),)
    if not any(Path(file).exists() for file in _GPU_FILES):
        return ()
    try:
        done = subprocess.run(  # noqa: S603 - a fixed command
            _ASK, capture_output=True, text=True, timeout=_SECONDS, check=True
        )
    except (OSError, subprocess.SubprocessError):
        return ()
    lines = (line.rsplit(",", 1) for line in done.stdout.splitlines() if "," in line)
    found = [(name.strip(), int(size) << 20) for name, size in lines if size.strip().isdecimal()]
    asked = os.environ.get("CUDA_VISIBLE_DEVICES")
    if asked is None:
        return tuple(found)
    chosen = [int(each) for each in asked.split(",") if each.strip().isdecimal()]
    return tuple(found[each] for each in chosen if each < len(found))
