"""The environment variables that a trainer's process gets: what training reads, no secrets beside.

Providers' keys and whatever else the user's shell holds stay with the engine.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

_SYSTEM = (
    *("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM"),
    *("TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "LD_PRELOAD"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    # compilers of kernels
    *("CC", "CXX", "CPATH", "LIBRARY_PATH", "MAX_JOBS"),
)
_LAUNCHER = (
    *("FORCE_TORCHRUN", "NNODES", "NODE_RANK", "NPROC_PER_NODE", "MASTER_ADDR", "MASTER_PORT"),
    *("MAX_RESTARTS", "RDZV_ID", "MIN_NNODES", "MAX_NNODES", "OPTIM_TORCH"),
    *("RECORD_VRAM", "DISABLE_VERSION_CHECK", "FORCE_CHECK_IMPORTS"),
)
"""What LLaMA-Factory's launcher of several GPUs and nodes, and its checks, read."""
_NAMES = frozenset((*_SYSTEM, *_LAUNCHER))
_PREFIXES = (
    *("LC_", "XDG_", "USE_", "LLAMAFACTORY_"),
    # hubs
    *("HF_", "HUGGINGFACE_", "TRANSFORMERS_", "DATASETS_", "MODELSCOPE_", "OM_", "TOKENIZERS_"),
    # threads, devices and what talks between them
    *("OMP_", "MKL_", "KMP_", "GOMP_", "OPENBLAS_", "NUMEXPR_", "CUDA_", "CUDNN_", "CUBLAS_"),
    *("NVIDIA_", "NCCL_", "GLOO_", "UCX_", "FI_", "ROCM_", "ROCR_", "HIP_", "HSA_", "RCCL_"),
    *("MIOPEN_", "ASCEND_", "NPU_", "HCCL_", "TORCH", "PYTORCH_", "TRITON_", "XFORMERS_"),
    # what training is done with
    *("ACCELERATE_", "FSDP_", "DS_", "DEEPSPEED_", "BNB_", "BITSANDBYTES_", "UNSLOTH_", "RAY_"),
)
_ACCELERATORS = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/dxg", "/dev/kfd", "/dev/davinci_manager")
"""Device files of NVIDIA's (under WSL too), AMD's and Huawei's drivers."""


def training_variables(python: Path, settings: Mapping[str, object]) -> dict[str, str]:
    """The engine's variables for a program of the training environment.

    The keys of an experiment tracker are among them where `report_to` names it.
    """
    prefixes = (*_PREFIXES, *_trackers(settings))
    handed = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _NAMES or name.startswith(prefixes)
    }
    if not any(Path(device).exists() for device in _ACCELERATORS):
        # More threads than idle cores make a small training several times slower, not faster.
        handed.setdefault("OMP_NUM_THREADS", "1")
    # torchrun, and compilers that kernels are made with at run time, lie beside the python.
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    # It runs in the run's folder, from where Python is to import nothing.
    own = {"PATH": path, "PYTHONUNBUFFERED": "1", "PYTHONSAFEPATH": "1"}
    return {"TOKENIZERS_PARALLELISM": "false", **handed, **own}


def _trackers(settings: Mapping[str, object]) -> Iterable[str]:
    named = settings.get("report_to")
    for name in named if isinstance(named, list) else [named]:
        if name and name != "none":
            yield f"{str(name).removesuffix('_ml').upper()}_"
    if settings.get("use_swanlab"):
        yield "SWANLAB_"
