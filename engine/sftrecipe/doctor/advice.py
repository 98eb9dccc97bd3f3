"""What to do about a call that failed: read from its status, else from the provider's words."""

from __future__ import annotations

import re
from urllib.request import getproxies

from sftrecipe.plugin.provider import CallFailed

_BY_WORDS = (
    (r"insufficient_quota|billing|arrearage", "doctor-quota"),
    (r"model_not_found|invalid_model|no such model|unknown model", "doctor-model"),
    (r"certificate|ssl", "doctor-tls"),
    (r"dns|name or service not known|getaddrinfo|no address", "doctor-dns"),
    (r"proxy", "doctor-proxy"),
    (r"refused|connect call failed|cannot connect|unreachable", "doctor-refused"),
    (r"no reply within|timeout|timed out", "doctor-slow"),
    (r"no json|no choices|no message|no embedding|not json", "doctor-garbage"),
)
_BY_STATUS = {
    401: "doctor-key",
    402: "doctor-quota",
    403: "doctor-access",
    404: "doctor-model",
    405: "doctor-garbage",
    429: "doctor-rate",
}
_UNREACHED = {"doctor-dns", "doctor-refused", "doctor-slow", "doctor-tls"}


def advice_for(failure: CallFailed) -> str:
    """The hint's slug."""
    text = failure.message.lower()
    by_words = next((slug for words, slug in _BY_WORDS if re.search(words, text)), None)
    if failure.status in _BY_STATUS and by_words not in ("doctor-quota", "doctor-model"):
        return _BY_STATUS[failure.status]
    if failure.status is None and by_words in _UNREACHED and _proxies() and not _local(text):
        return f"{by_words}-proxy"
    return by_words or "doctor-provider"


def _local(text: str) -> bool:
    return text.startswith(("127.0.0.1", "localhost", "[::1]"))


def proxy_names() -> str:
    """The environment variables that set a proxy."""
    return ", ".join(f"{scheme}_proxy" for scheme in sorted(_proxies()))


def _proxies() -> set[str]:
    return {scheme for scheme in getproxies() if scheme in ("http", "https", "all")}
