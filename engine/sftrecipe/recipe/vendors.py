"""Which environment variable holds whose key, and the pairs that the user has allowed."""

from __future__ import annotations

import json
import os
import secrets
from collections.abc import Iterable, Mapping
from ipaddress import ip_address
from pathlib import Path

_BAIDU = ("qianfan.baidubce.com", "aip.baidubce.com")

HOSTS_BY_VARIABLE: Mapping[str, tuple[str, ...]] = {
    "OPENAI_API_KEY": ("api.openai.com",),
    "QIANFAN_API_KEY": _BAIDU,
    "QIANFAN_ACCESS_KEY": _BAIDU,
    "QIANFAN_SECRET_KEY": _BAIDU,
    "QIANFAN_AK": _BAIDU,
    "QIANFAN_SK": _BAIDU,
    "ERNIE_API_KEY": _BAIDU,
    "WENXIN_API_KEY": _BAIDU,
    "DEEPSEEK_API_KEY": ("api.deepseek.com",),
    "DASHSCOPE_API_KEY": (
        "dashscope.aliyuncs.com",
        "dashscope-intl.aliyuncs.com",
        "dashscope-us.aliyuncs.com",
    ),
    "MODELSCOPE_API_KEY": ("api-inference.modelscope.cn",),
    "MOONSHOT_API_KEY": ("api.moonshot.cn", "api.moonshot.ai"),
    "KIMI_API_KEY": ("api.moonshot.cn", "api.moonshot.ai"),
    "ZHIPUAI_API_KEY": ("open.bigmodel.cn", "api.z.ai"),
    "ZHIPU_API_KEY": ("open.bigmodel.cn", "api.z.ai"),
    "ZAI_API_KEY": ("open.bigmodel.cn", "api.z.ai"),
    "ARK_API_KEY": ("ark.cn-beijing.volces.com",),
    "VOLCENGINE_API_KEY": ("ark.cn-beijing.volces.com",),
    "HUNYUAN_API_KEY": ("api.hunyuan.cloud.tencent.com",),
    "MINIMAX_API_KEY": ("api.minimax.chat", "api.minimaxi.com", "api.minimax.io"),
    "BAICHUAN_API_KEY": ("api.baichuan-ai.com",),
    "SILICONFLOW_API_KEY": ("api.siliconflow.cn", "api.siliconflow.com"),
    "ANTHROPIC_API_KEY": ("api.anthropic.com",),
    "GEMINI_API_KEY": ("generativelanguage.googleapis.com",),
    "GOOGLE_API_KEY": ("generativelanguage.googleapis.com",),
    "MISTRAL_API_KEY": ("api.mistral.ai",),
    "GROQ_API_KEY": ("api.groq.com",),
    "XAI_API_KEY": ("api.x.ai",),
    "COHERE_API_KEY": ("api.cohere.com", "api.cohere.ai"),
    "TOGETHER_API_KEY": ("api.together.xyz",),
    "TOGETHERAI_API_KEY": ("api.together.xyz",),
    "FIREWORKS_API_KEY": ("api.fireworks.ai",),
    "PERPLEXITYAI_API_KEY": ("api.perplexity.ai",),
    "OPENROUTER_API_KEY": ("openrouter.ai",),
    "HF_TOKEN": ("huggingface.co", "router.huggingface.co"),
    "HUGGINGFACE_API_KEY": ("huggingface.co", "router.huggingface.co"),
}
"""The hosts that a vendor's key belongs to. Any other host has to be allowed by the user."""


def belongs(variable: str, host: str) -> bool:
    """Whether the host is one of the variable's vendor."""
    return host in HOSTS_BY_VARIABLE.get(variable, ())


def is_loopback(host: str) -> bool:
    """Whether the host is this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def allowed_keys() -> set[tuple[str, str]]:
    """Pairs of variable and host that the user has allowed; none if the file cannot be read."""
    try:
        pairs = json.loads(_file().read_text(encoding="utf-8"))
        return {(str(name), str(host)) for name, hosts in pairs.items() for host in hosts}
    except (OSError, ValueError, AttributeError, TypeError):
        return set()


def remember_keys(pairs: Iterable[tuple[str, str]]) -> None:
    """Add pairs to those that the user has allowed."""
    known = allowed_keys()
    every = known | {(name, host.lower()) for name, host in pairs}
    if every == known:
        return
    by_name: dict[str, list[str]] = {}
    for name, host in sorted(every):
        by_name.setdefault(name, []).append(host)
    file = _file()
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.{secrets.token_hex(4)}")
    new.write_text(json.dumps(by_name, indent=2) + "\n", encoding="utf-8")
    new.replace(file)


def _file() -> Path:
    return settings_file("allowed_keys.json")


def settings_file(name: str) -> Path:
    """A file of the user's own settings, whatever the recipe."""
    configured = os.environ.get("XDG_CONFIG_HOME")
    folder = Path(configured) if configured else Path.home() / ".config"
    return folder / "sftrecipe" / name
