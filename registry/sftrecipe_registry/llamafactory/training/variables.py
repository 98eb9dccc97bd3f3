"""The environment variables that a trainer's process gets: what training reads, no secrets beside.

A tracker's are handed on where `report_to` names it; a hub's token where the user allows it.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from pathlib import Path

from sftrecipe_registry.llamafactory.training.trackers import tracker_variables
from sftrecipe_registry.shared.processes.variables import process_variables

HUB_TOKENS = ("HF_TOKEN", "MODELSCOPE_API_TOKEN", "OM_HUB_TOKEN")
"""Variables with a hub's token; each is the word by which the user allows it."""

_LAUNCHER = (
    *("FORCE_TORCHRUN", "NNODES", "NODE_RANK", "NPROC_PER_NODE", "MASTER_ADDR", "MASTER_PORT"),
    *("MAX_RESTARTS", "RDZV_ID", "MIN_NNODES", "MAX_NNODES", "OPTIM_TORCH"),
    *("RECORD_VRAM", "DISABLE_VERSION_CHECK", "FORCE_CHECK_IMPORTS"),
    *("USE_MODELSCOPE_HUB", "USE_OPENMIND_HUB", "USE_RAY", "USE_MCA", "USE_KT", "USE_V1"),
    *("RAY_ADDRESS", "ACCELERATE_USE_FSDP", "ACCELERATE_USE_DEEPSPEED"),
    *("DS_SKIP_CUDA_CHECK", "DS_BUILD_OPS", "DS_ACCELERATOR", "BNB_CUDA_VERSION"),
)
"""What LLaMA-Factory's launcher of several GPUs and nodes, and its checks, read."""
_FAMILIES = ("LLAMAFACTORY_", "FSDP_")
_ACCELERATORS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/dev/davinci_manager")
"""Device files of NVIDIA's (under WSL too), AMD's and Huawei's drivers."""


def training_variables(
    python: Path, settings: Mapping[str, object], allowed: Collection[str] = ()
) -> dict[str, str]:
    """The engine's variables for a program of the training environment.

    `settings`: LLaMA-Factory's arguments, which may name trackers; `allowed`: the user's words.
    """
    tokens = [name for name in HUB_TOKENS if name in allowed]
    names = {*_LAUNCHER, *tracker_variables(settings), *tokens}
    handed = process_variables(python, names, _FAMILIES)
    if not any(Path(device).exists() for device in _ACCELERATORS):
        # More threads than idle cores make a small training several times slower, not faster.
        handed.setdefault("OMP_NUM_THREADS", "1")
    if settings.get("deepspeed"):
        handed.setdefault("FORCE_TORCHRUN", "1")  # it refuses DeepSpeed in a single process
    # It runs in the run's folder, from where Python is to import nothing.
    return {"TOKENIZERS_PARALLELISM": "false", **handed, "PYTHONSAFEPATH": "1"}
