"""Addresses on the internet: of mail, of pages, of machines."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re
from ipaddress import ip_address

from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+-])[A-Za-z0-9_][A-Za-z0-9._%+'-]{0,63}[ ]?@[ ]?(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}"
    r"(?![A-Za-z0-9@])"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{1,63}[ ]?[(\[{ ](?:at|AT)[)\]} ][ ]?"
    r"[A-Za-z0-9-]{2,63}(?:[ ]?[(\[{ ](?:dot|DOT)[)\]} ][ ]?[A-Za-z]{2,24}){1,3}(?![A-Za-z0-9])"
    r"|(?<![A-Za-z0-9._%+-])[A-Za-z0-9][A-Za-z0-9._%+-]{1,63}[ ]?[(\[{](?:at|AT)[)\]}][ ]?(?:[A-Za-z0-9-]{1,63}\.){1,8}[A-Za-z]{2,24}(?![A-Za-z0-9])"
)
_NOBODYS = re.compile(
    r"(?i)(?:^(?:no-?reply|do-?not-?reply|postmaster|mailer-daemon|webmaster|git|user(?:name)?\d?|your\.?_?-?(?:name|email|mail)?"
    r"|my_?email|email|name|someone|somebody|abc|xxx+|test\w*|foo|bar|sender|recipient|receiver|from|to|example"
    r"|\w*info|pr|admissions?|registrar|enrol\w*|library|clinic|dental|school|shop|store|studio|mail|web|service|support|contact|sales|service|services|help|helpdesk|admin|office|customer\.?(?:service|support|care)|hr|jobs|careers"
    r"|press|media|privacy|security|abuse|billing|enquir\w+|inquir\w+|feedback|hello|hi|team|marketing|newsletter|booking\w*|reservations?"
    r"|appointments?|reception|alerts?|notifications?|kefu|news|orders?|returns|legal|events?)@)"
    r"|@(?:[\w-]+\.)*(?:example|your\w*|my-?(?:domain|company|site|mail)|domain|company|some\w*|test|email|mail|xyz|abc|website|placeholder|localhost)"
    r"\.(?:com|org|net|edu|cn|co|io|xyz)$"
    r"|\.(?:test|invalid|example|localhost|local|png|jpg|jpeg|gif|svg|py|js)$"
)
"""Addresses of offices, of examples, of nobody."""
_AT = re.compile(r"[(\[{](?:at|AT)[)\]}]|(?:at|AT) [A-Za-z0-9-]+ (?:dot|DOT) ")
_URL = re.compile(
    r"(?:https?://|(?<![A-Za-z0-9.])www\.)[A-Za-z0-9][!-~]{2,2000}(?<![.,;:!?)\]}'\"])",
    re.IGNORECASE,
)
_IP = re.compile(
    r"(?:(?<![0-9A-Za-z./-])|(?<![A-Za-z][Ii][Pp])(?<=[Ii][Pp]))"
    r"(?:[0-9]{1,3}(?:\.[0-9]{1,3}){3}|[23][0-9A-Fa-f]{3}(?::[0-9A-Fa-f]{0,4}){2,7})"
    r"(?![0-9A-Za-z]|:[0-9A-Fa-f]*:|\.[0-9]|/[0-9]{1,2}(?![0-9/]))"
)
_IP_WORDS = re.compile(
    r"(?i)(?<![a-z])ips?(?![a-z])|log(?:ged|in|on|s)?\b|sign(?:ed)?[ -]?in|access|visit|connect|client|\buser|remote|\bhost"
    r"|\bbann?(?:ed)?\b|block|attack|attempt|session|request|geoloc|whois|trace|abuse|\b(?:my|his|her|their) (?:pc|computer|machine|laptop|phone|router|server|box)\b|\bsrc\b|\bpeer\b|\bplayer\b|\bposter\b|\bspam|\bcomment|\bvisitor|\bdownload|\bupload|\bedit(?:ed|or)?\b|\bGET\b|\bPOST\b|sshd|from\b"
    r"|登录|登陆|访问|来源|地址|客户端|用户|封禁|拉黑|攻击|请求|日志|归属|定位|上网|连接|注册|楼主|网友|发帖|评论|下载|上传|账号|电脑|操作",
    re.ASCII,
)
_LESSONS = hints("subnet subnets subnetting netmask cidr broadcast", "子网 掩码 广播地址")
"""Rows that teach networks."""
_VERSION = re.compile(
    r"(?i)(?:\bv|version|build|release|firmware|driver|版本|固件|section|chapter|第|§|numpy|upgrade|升级到?)[ :.#]*$"
)
_WELL_KNOWN = frozenset(
    [
        "8.8.8.8",
        "8.8.4.4",
        "1.1.1.1",
        "1.0.0.1",
        "9.9.9.9",
        "208.67.222.222",
        "208.67.220.220",
        "114.114.114.114",
        "223.5.5.5",
        "223.6.6.6",
        "119.29.29.29",
        "1.2.3.4",
        "2001:4860:4860::8888",
        "2606:4700:4700::1111",
        "180.76.76.76",
        "1.2.4.8",
    ]
)
"""Resolvers that everybody names, and made-up ones."""


def emails(read: ReadText) -> Found:
    """Those of persons: no offices (`info@`), no examples (`@example.com`)."""
    if "@" not in read.text and not (
        "(at" in read.lower
        or "[at" in read.lower
        or (" at " in read.lower and " dot " in read.lower)
    ):
        return
    if "@" not in read.text and not _AT.search(read.text):
        return
    for found in _EMAIL.finditer(read.text):
        if not _NOBODYS.search(found[0].replace(" ", "")) and not read.is_quiet(found.start()):
            yield found.span()


def urls(read: ReadText) -> Found:
    """Any."""
    if "." in read.text:
        yield from (found.span() for found in _URL.finditer(read.text))


def ips(read: ReadText) -> Found:
    """Public ones, where a word near them says that somebody used them."""
    is_short = read.digits < 4 and read.text.count(":") < 4
    if is_short or read.context.has(_LESSONS):
        return
    for found in _IP.finditer(read.text):
        start, end = found.span()
        written = found[0]
        if written in _WELL_KNOWN or read.is_quiet(start) or not _is_public(written):
            continue
        if _VERSION.search(read.before(start)):
            continue
        if _IP_WORDS.search(read.text[max(0, start - 120) : end + 60]):
            yield start, end


def _is_public(written: str) -> bool:
    """Those set apart for documentation count too: who invents a person gives one of these."""
    try:
        address = ip_address(written)
    except ValueError:
        return False
    return address.is_global or written.startswith(
        ("203.0.113.", "198.51.100.", "192.0.2.", "2001:db8:")
    )
