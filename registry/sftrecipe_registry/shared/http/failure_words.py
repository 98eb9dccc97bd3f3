"""The words by which vendors say why a request failed: codes and messages that are known.

What no table knows is told in the vendor's own words, and judged by its status alone.
"""

from __future__ import annotations

import re

REFUSED = (
    "content_filter",
    "content_policy",
    "data_inspection_failed",
    "datainspectionfailed",
    "moderation",
    "sensitive",
    "responsibleaipolicyviolation",
    "system_unsafe",
    "user_setting_unsafe",
    "functions_unsafe",
)
"""Parts of error codes that say the content was refused."""
REFUSED_CODES = ("1301", "336104")
"""Whole codes: Zhipu's and Qianfan's are numbers."""
REFUSED_TEXTS = re.compile(
    r"Content Exists Risk"  # DeepSeek
    r"|violating our usage policy|content management policy"  # OpenAI, Azure
    r"|inappropriate content|considered high risk"  # DashScope, Moonshot
    r"|contains? (?:\w+ )?sensitive (?:content|information|words?)"  # Ark
    r"|the content .{0,40}is sensitive|new_sensitive"  # Qianfan, MiniMax
    r"|(?:内容|文本|提示词|问题|回答|输入|输出).{0,16}(?:敏感|违规|不安全|审核不通过|未通过审核|不合规)",
    re.IGNORECASE,
)
"""Messages that say so where the code does not, with a status of `OF_A_REQUEST`."""
OF_A_REQUEST = (200, 400, 413, 422, 451, 500)
"""Statuses that may be about this one request."""

TOO_LONG = (
    "context_length_exceeded",
    "exceed_context_size",
    "context_window_exceeded",
    "contextwindowexceeded",
    "tokens_too_long",
    "string_above_max_length",
)
"""Parts of error codes that say the row does not fit: OpenAI, llama.cpp, Qianfan."""
TOO_LONG_CODES = ("1261", "336103", "336007")
"""Whole codes: Zhipu, Qianfan's older interface."""
TOO_LONG_TEXTS = re.compile(
    r"maximum context length"  # OpenAI, vLLM, DeepSeek, Mistral
    r"|maximum (?:model|input|prompt|sequence) length"  # vLLM, xAI, OpenAI's embeddings
    r"|(?:longer|larger|greater) than the (?:model'?s |maximum )*(?:context|model) (?:length|size)"
    r"|exceeds? the (?:model'?s |available |maximum )*context"  # llama.cpp, SGLang, Ollama
    r"|exceeds? (?:the )?(?:model'?s )?(?:max(?:imum)? )?(?:context|message tokens|input length)"
    r"|(?:prompt|input) is too long"  # Anthropic, Fireworks, Bedrock
    r"|input length and `?max_tokens`? exceed"  # Anthropic
    r"|input token count.{0,40}exceeds"  # Gemini
    r"|range of input length should be"  # DashScope
    r"|exceeded model token limit|input token length too long"  # Moonshot
    r"|exceed max message tokens"  # Ark
    r"|(?:prompt|input)[ _]?tokens? (?:is |are )?too long"  # Qianfan
    r"|the max (?:length of .{0,40}|input characters )is \d"  # Qianfan's older interface
    r"|prompt (?:超长|exceeds max length)"  # Zhipu
    r"|max_seq_len"  # SiliconFlow
    r"|`?inputs`? (?:tokens \+|must have less than)"  # Hugging Face's TGI and TEI
    r"|too many tokens: "  # Cohere
    r"|context window exceeds"  # MiniMax
    r"|(?:输入|提示词|上下文).{0,12}(?:过长|超长|太长|超过|超出)"
    r"|(?:请求|内容|文本|消息|问题).{0,12}(?:过长|超长|太长)"
    r"|超(?:过|出).{0,12}(?:上下文|长度)",
    re.IGNORECASE,
)
_LENGTHS = re.compile(
    r"(?:tokens?|length|prompt|inputs?|messages?|context|characters|text)\b.{0,60}?"
    r"\b(?:exceed(?:s|ed|ing)?|(?:is |are )?(?:over|above)|too (?:long|large|many)"
    r"|(?:longer|larger|greater|more) than|only supports? up to)\b"
    r".{0,60}?(?:limit|max|length|context|tokens?|allowed|size|window|\d)"
    r"|(?:tokens?|prompt|inputs?|messages?|context|text)\b.{0,40}\btoo (?:long|large|many)\b"
    r"|too many (?:input |prompt )?tokens\b|context length of only"  # Bedrock, Mistral, LM Studio
    r"|(?:输入|提示词?|上下文|文本|消息|对话|内容|长度|字数|字符|prompt|tokens?).{0,16}?"
    r"(?:过长|超长|太长|超限|超过|超出|超了)"
    r"|(?:超过|超出|超限).{0,12}?(?:上下文|长度|tokens?\b|字数|字符)",
    re.IGNORECASE,
)
_NO_LENGTHS = re.compile(
    r"max_(?:completion_|new_|output_)?tokens|temperature|top_[pk]|penalty|should be"
    r"|quota|balance|rate.?limit|per (?:minute|day|second)|\b[rt]p[md]\b|qps"
    r"|expired|api.?key|access.?token"
    r"|额度|余额|配额|限额|频率|频次|每分钟|每秒|每日|并发|次数|速率|密钥|账[号户]",
    re.IGNORECASE,
)
"""What may exceed a limit without being a row's text: parameters, rates, money, keys."""


def is_too_long(text: str) -> bool:
    """Whether a message of no known vendor says that the row's text is too long."""
    return bool(_LENGTHS.search(text)) and not _NO_LENGTHS.search(text)


TOO_LARGE_TEXTS = re.compile(r"request too large", re.IGNORECASE)
"""OpenAI's 429 for one request above the tokens of a minute: waiting does not cure it."""

UNPAID = (
    "insufficient_quota",
    "exceeded_current_quota",
    "insufficient_balance",
    "billing",
    "arrearage",
    "overdue",
    "access_terminated",
)
"""Parts of codes that waiting does not cure."""
UNPAID_CODES = ("1112", "1113", "1121")
"""Zhipu: account locked, in arrears, blocked for violations."""
UNPAID_TEXTS = re.compile(
    r"(?:insufficient|overdue) balance|credit balance is too low|余额不足|欠费", re.IGNORECASE
)

KEYS = (
    "invalid_api_key",
    "invalidapikey",
    "api_key_invalid",
    "invalid_iam_token",
    "authentication",
    "unauthorized",
    "unauthenticated",
    "permission_denied",
    "permission_error",
    "access_denied",
    "accessdenied",
    "account_deactivated",
    "unsupported_country",
    "no_permission",
)
"""Parts of codes by which the key, or its rights, are refused."""
KEY_TEXTS = re.compile(
    r"(?:api.?key|access.?token).{0,30}(?:not valid|invalid|incorrect|expired)"
    r"|(?:invalid|incorrect|expired).{0,12}(?:api.?key|access.?token)",
    re.IGNORECASE,
)

MODELS = ("model_not_found", "modelnotfound", "model_not_exist", "1211")
MODEL_CODES = ("invalid_model",)
"""A whole code: `invalid_model_param` is about a parameter."""
MODEL_TEXTS = re.compile(
    r"no such model|unknown model|model not (?:exist|found)|模型不存在"
    r"|model.{0,80}(?:does not exist|not found|is not available|has been (?:deprecated|removed))",
    re.IGNORECASE,
)
"""The model is unknown, or gone."""

PARAMETERS = (
    "unsupported_parameter",
    "unsupported_value",
    "unknown_parameter",
    "extra_forbidden",
    "invalid_parameter_error",
)
PARAMETER_TEXTS = re.compile(
    r"(?:unsupported|unknown|unrecognized|unrecognised|unexpected|extra)"
    r" (?:request )?(?:parameter|argument|value|field|input|keyword)"
    r"|(?:parameter|argument|value|field).{0,60}(?:not supported|unsupported|not permitted|unknown)"
    r"|does not support .{0,40}(?:parameter|value|with this model)|parameter\.\w+ must be"
    r"|unrecognized request argument|is deprecated for this model|no longer supported"
    r"|handle the requested parameters"  # OpenRouter
    r"|调用参数有误",  # Zhipu
    re.IGNORECASE,
)
"""A parameter that this model does not take: every row's request has it."""
CONTENT = ("messages", "input", "prompt", "contents", "content", "tools", "functions")
"""Parameters that are the row's own."""

BUSY = (
    "rate_limit",
    "ratelimit",
    "too_many_requests",
    "overloaded",
    "throttling",
    "limit_requests",
)
MINIMAX = {
    1002: "rate_limit", 1004: "authentication", 1008: "insufficient_balance", 1013: "server_error",
    1026: "sensitive", 1027: "sensitive", 1039: "rate_limit", 2049: "invalid_api_key",
}  # fmt: skip
"""Its numbers, which come with HTTP 200 and short words, in others' words."""
BROKEN = ("internal_error", "internal_server_error", "server_error", "service_unavailable")
