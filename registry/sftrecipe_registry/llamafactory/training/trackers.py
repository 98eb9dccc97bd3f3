"""Experiment trackers that a training may report to, and the variables that each of them reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple


class Tracker(NamedTuple):
    """One tracker."""

    packages: tuple[str, ...] = ()
    """Packages of which it wants one."""
    variables: tuple[str, ...] = ()
    """Environment variables that are its own: address, key, names of what is reported."""
    is_local: bool = False
    """Whether it writes into the output folder alone."""


TRACKERS: Mapping[str, Tracker] = {
    "none": Tracker(is_local=True),
    "tensorboard": Tracker(("tensorboard", "tensorboardx"), is_local=True),
    "wandb": Tracker(
        ("wandb",),
        (
            *("WANDB_API_KEY", "WANDB_BASE_URL", "WANDB_CACHE_DIR", "WANDB_CONFIG_DIR"),
            *("WANDB_CONSOLE", "WANDB_DATA_DIR", "WANDB_DIR", "WANDB_DISABLED", "WANDB_ENTITY"),
            *("WANDB_JOB_TYPE", "WANDB_LOG_MODEL", "WANDB_MODE", "WANDB_NAME", "WANDB_NOTES"),
            *("WANDB_PROJECT", "WANDB_QUIET", "WANDB_RESUME", "WANDB_RUN_GROUP", "WANDB_RUN_ID"),
            *("WANDB_SILENT", "WANDB_TAGS", "WANDB_WATCH"),
        ),
    ),
    "swanlab": Tracker(
        ("swanlab",),
        (
            *("SWANLAB_API_HOST", "SWANLAB_API_KEY", "SWANLAB_DESCRIPTION", "SWANLAB_EXP_NAME"),
            *("SWANLAB_LOG_DIR", "SWANLAB_LOG_MODEL", "SWANLAB_MODE", "SWANLAB_PROJECT"),
            *("SWANLAB_RESUME", "SWANLAB_RUN_ID", "SWANLAB_SAVE_DIR", "SWANLAB_WEB_HOST"),
            "SWANLAB_WORKSPACE",
        ),
    ),
    "mlflow": Tracker(
        ("mlflow",),
        (
            *("DISABLE_MLFLOW_INTEGRATION", "HF_MLFLOW_LOG_ARTIFACTS", "MLFLOW_EXPERIMENT_ID"),
            *("MLFLOW_EXPERIMENT_NAME", "MLFLOW_FLATTEN_PARAMS", "MLFLOW_MAX_LOG_PARAMS"),
            *("MLFLOW_NESTED_RUN", "MLFLOW_REGISTRY_URI", "MLFLOW_RUN_ID", "MLFLOW_TAGS"),
            *("MLFLOW_TRACKING_INSECURE_TLS", "MLFLOW_TRACKING_PASSWORD"),
            *("MLFLOW_TRACKING_SERVER_CERT_PATH", "MLFLOW_TRACKING_TOKEN"),
            *("MLFLOW_TRACKING_URI", "MLFLOW_TRACKING_USERNAME"),
        ),
    ),
    "trackio": Tracker(
        ("trackio",),
        ("TRACKIO_BUCKET_ID", "TRACKIO_DIR", "TRACKIO_PROJECT", "TRACKIO_SPACE_ID"),
    ),
    "comet_ml": Tracker(
        ("comet-ml",),
        (
            *("COMET_API_KEY", "COMET_EXPERIMENT_KEY", "COMET_LOG_ASSETS", "COMET_MODE"),
            *("COMET_OFFLINE_DIRECTORY", "COMET_PROJECT_NAME", "COMET_START_MODE"),
            *("COMET_START_ONLINE", "COMET_URL_OVERRIDE", "COMET_WORKSPACE"),
        ),
    ),
    "neptune": Tracker(
        ("neptune",), ("NEPTUNE_API_TOKEN", "NEPTUNE_MODE", "NEPTUNE_PROJECT", "NEPTUNE_RUN_ID")
    ),
    "clearml": Tracker(
        ("clearml",),
        (
            *("CLEARML_API_ACCESS_KEY", "CLEARML_API_HOST", "CLEARML_API_SECRET_KEY"),
            *("CLEARML_CONFIG_FILE", "CLEARML_FILES_HOST", "CLEARML_LOG_MODEL"),
            *("CLEARML_PROJECT", "CLEARML_TASK", "CLEARML_WEB_HOST"),
        ),
    ),
}
"""`report_to` takes these names alone: `all` and every other name is refused."""


def named_trackers(arguments: Mapping[str, object]) -> Iterator[str]:
    """What `report_to`, and LLaMA-Factory's own switch, name; it may be no tracker."""
    named = arguments.get("report_to")
    for name in named if isinstance(named, list) else [named]:
        if name is not None:
            yield str(name)
    if arguments.get("use_swanlab"):
        yield "swanlab"


def tracker_variables(arguments: Mapping[str, object]) -> frozenset[str]:
    """The variables of all trackers that the arguments name."""
    known = (TRACKERS[name] for name in named_trackers(arguments) if name in TRACKERS)
    return frozenset(variable for tracker in known for variable in tracker.variables)
