"""Where litellm asks each vendor, and where it finds the key by itself."""

from __future__ import annotations

ADDRESSES = {
    "anthropic": "https://api.anthropic.com",
    "dashscope": "https://dashscope.aliyuncs.com/compatible-mode/v1",
    "deepseek": "https://api.deepseek.com/beta",
    "gemini": "https://generativelanguage.googleapis.com/v1beta",
    "moonshot": "https://api.moonshot.ai/v1",
    "openai": "https://api.openai.com/v1",
    "volcengine": "https://ark.cn-beijing.volces.com/api/v3",
    "zai": "https://api.z.ai/api/paas/v4",
}
"""Where litellm asks by itself, by the model's prefix. It is told so all the same: else a variable
such as `MOONSHOT_API_BASE` would lead a key elsewhere."""
BY_KEY = frozenset(ADDRESSES) | {"azure", "hosted_vllm", "ollama", "ollama_chat", "openai_like"}
"""Vendors of which litellm sends an address nothing but the key: not a cloud's own credentials."""
_OTHER_KEYS = {"gemini": ("GOOGLE_API_KEY",), "volcengine": ("ARK_API_KEY",)}
"""Variables that litellm takes a vendor's key from beside `VENDOR_API_KEY`."""


def key_variables(model: str) -> tuple[str, ...]:
    """Where litellm finds the key of a model, of the vendors that it asks by one key."""
    vendor = model.partition("/")[0]
    if vendor not in ADDRESSES:
        return ()
    return (f"{vendor.upper()}_API_KEY", *_OTHER_KEYS.get(vendor, ()))
