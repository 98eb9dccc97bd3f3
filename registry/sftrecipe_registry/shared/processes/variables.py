"""The environment variables that programs get which the engine starts: what they read, by name.

Providers' keys and whatever else the user's shell holds stay with the engine.
"""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path

_SYSTEM = (
    *("HOME", "USER", "LOGNAME", "SHELL", "LANG", "LANGUAGE", "TZ", "TERM"),
    *("TMPDIR", "TEMP", "TMP", "LD_LIBRARY_PATH", "LD_PRELOAD"),
    *("XDG_CACHE_HOME", "XDG_CONFIG_HOME", "XDG_DATA_HOME", "XDG_RUNTIME_DIR", "XDG_STATE_HOME"),
    *("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"),
    # compilers of kernels
    *("CC", "CXX", "CPATH", "LIBRARY_PATH", "MAX_JOBS", "NVCC_PREPEND_FLAGS", "NVCC_APPEND_FLAGS"),
)
_HUBS = (
    *("HF_HOME", "HF_HUB_CACHE", "HF_ASSETS_CACHE", "HF_XET_CACHE", "HF_DATASETS_CACHE"),
    *("HF_MODULES_CACHE", "HF_ENDPOINT", "HF_HUB_OFFLINE", "HF_DATASETS_OFFLINE"),
    *("HF_HUB_DOWNLOAD_TIMEOUT", "HF_HUB_ETAG_TIMEOUT", "HF_HUB_DISABLE_PROGRESS_BARS"),
    *("HF_HUB_DISABLE_SYMLINKS", "HF_HUB_DISABLE_SYMLINKS_WARNING", "HF_HUB_DISABLE_TELEMETRY"),
    *("HF_HUB_DISABLE_XET", "HF_HUB_ENABLE_HF_TRANSFER", "HF_HUB_VERBOSITY", "HF_DEBUG"),
    *("HF_XET_HIGH_PERFORMANCE", "HF_DATASETS_IN_MEMORY_MAX_SIZE", "HF_TOKEN_PATH"),
    *("HUGGINGFACE_HUB_CACHE", "TRANSFORMERS_CACHE", "TRANSFORMERS_OFFLINE"),
    *("TRANSFORMERS_VERBOSITY", "TRANSFORMERS_NO_ADVISORY_WARNINGS", "DATASETS_VERBOSITY"),
    *("MODELSCOPE_CACHE", "MODELSCOPE_DOMAIN", "MODELSCOPE_OFFLINE", "MODELSCOPE_LOG_LEVEL"),
    *("OM_CACHE", "OM_HOME", "TOKENIZERS_PARALLELISM"),
)
_DEVICES = (
    *("NVIDIA_VISIBLE_DEVICES", "NVIDIA_DRIVER_CAPABILITIES", "NVIDIA_TF32_OVERRIDE"),
    *("NPU_VISIBLE_DEVICES", "NPU_ASD_ENABLE", "FI_PROVIDER", "FI_EFA_USE_DEVICE_RDMA"),
)
_NAMES = frozenset((*_SYSTEM, *_HUBS, *_DEVICES))
_PREFIXES = (
    "LC_",
    # threads, devices and what talks between them: libraries that no key belongs to
    *("OMP_", "MKL_", "KMP_", "GOMP_", "OPENBLAS_", "NUMEXPR_", "CUDA_", "CUDNN_", "CUBLAS_"),
    *("NCCL_", "GLOO_", "UCX_", "ROCM_", "ROCR_", "HIP_", "HSA_", "RCCL_", "MIOPEN_"),
    *("ASCEND_", "HCCL_", "TORCH_", "TORCHINDUCTOR_", "TORCHELASTIC_", "TORCHDYNAMO_"),
    *("PYTORCH_", "TRITON_", "XFORMERS_"),
)
_SECRET = re.compile(r"KEY|TOKEN|SECRET|PASS|CRED|AUTH|COOKIE|WEBHOOK|DSN", re.IGNORECASE)
"""A name that only a prefix lets through must not sound like this."""
_SETTING = threading.RLock()


def process_variables(
    python: Path, names: Collection[str] = (), prefixes: tuple[str, ...] = ()
) -> dict[str, str]:
    """The engine's variables for a program of another Python environment, with its own beside.

    `names` go as they are; what begins with one of the `prefixes` goes unless it names a secret.
    """
    families = (*_PREFIXES, *prefixes)
    handed = {
        name: value
        for name, value in os.environ.items()
        if name.upper() in _NAMES
        or name in names
        or (name.startswith(families) and not _SECRET.search(name))
    }
    # torchrun, and compilers that kernels are made with at run time, lie beside the python.
    path = f"{python.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
    return {**handed, "PATH": path, "PYTHONUNBUFFERED": "1"}


@contextmanager
def set_meanwhile(name: str, value: str) -> Iterator[None]:
    """Set a variable of this process until the block ends, for a library that reads it once.

    Two runs of one process may do so at once: one after the other, else the second would leave
    behind what the first had set.
    """
    with _SETTING:
        before = os.environ.get(name)
        os.environ[name] = value
        try:
            yield
        finally:
            if before is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = before
