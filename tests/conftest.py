"""What all tests need of their process."""

import os
import signal
import sys

import pytest
from hypothesis import HealthCheck, settings

# A shell that starts something in the background has it ignore Ctrl-C, and so does all that this
# starts: commands that tests interrupt would go on for ever.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# Trainers and model servers of several workers at once: threads that wait for cores only spin.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# Tests start thousands of commands: each would compile all of sftrecipe anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# The same examples in every run: a change is not refused for what another change brought in.
# `HYPOTHESIS_PROFILE=explore` looks for new ones.
# How fast examples are made and run tells of the machine, which may have other work; how many are
# thrown away, of which modules a worker has loaded, whose constants are tried.
UNSURE = [HealthCheck.too_slow, HealthCheck.filter_too_much]
settings.register_profile("same", derandomize=True, deadline=None, suppress_health_check=UNSURE)
settings.register_profile("explore", deadline=None, suppress_health_check=UNSURE)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "same"))


@pytest.fixture(scope="session", autouse=True)
def no_environments_of_the_users(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Environments that the user made with `sftrecipe env` are not found by themselves."""
    os.environ["XDG_DATA_HOME"] = str(tmp_path_factory.mktemp("data"))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with heavy tests first: begun last, one would keep a single core busy at the end."""
    heavy = {item.path for item in items if item.get_closest_marker("heavy")}
    items.sort(key=lambda item: item.path not in heavy)
