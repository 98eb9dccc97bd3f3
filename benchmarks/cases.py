"""What is asked of which server: the cases of `calls.py`."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """So many prompts, so many at once, of a stand-in server with these options."""

    server: tuple[object, ...]
    prompts: int = 2000
    concurrency: int = 256
    timeout: float = 60
    use: str = "openai"
    """The provider through which ours asks."""
    beside: str = "bare_aiohttp.py"
    """The script that ours is compared with."""


CASES = {
    "steady": Case(("--delay", 0.2)),
    "long": Case(("--delay", 0.2), prompts=10000),
    "faults": Case(
        ("--delay", 0.2, "--faults", "429=0.025", "500=0.025", "slow=0.025", "garbage=0.025"),
        timeout=1,
    ),
    "admits-64": Case(("--delay", 0.2, "--admit", 64)),
    "stray-429": Case(("--delay", 0.2, "--faults", "429=0.1")),
    "long-tailed": Case(("--delay", 0.2, "--sigma", 1)),
    "litellm": Case(("--delay", 0.2), use="litellm", beside="peers/litellm_bare.py"),
}
EXTRA = {"200000": Case(("--delay", 0.05), prompts=200_000)}
"""Run only when they are named: they take minutes."""
PEER_CASES = ("steady", "faults", "admits-64")
