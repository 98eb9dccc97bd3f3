"""Numbers of insured persons and policies."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.codes import HAN, NUMBER, NUMBER_ZH, Labels, told_codes
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_INSURERS = r"(?:aetna|cigna|humana|bupa|kaiser(?: permanente)?|bcbs|blue (?:cross|shield)(?: blue shield)?|united ?health(?:care)?|uhc|anthem|tricare|axa|allianz|metlife|prudential|geico|state farm|allstate|progressive|aviva|vhi|medibank|hcf|nib|oscar health|molina|centene|wellcare|medi-?cal|mass ?health|ohip|msp|medicare|medicaid)"
_OF_INSURED = rf"(?:(?:health |medical |dental |vision |car |auto |home(?:owner'?s?)? |life |travel |pet |renters'? )?(?:insurance|insurer|insured(?:'s)?|insur\.?|ins\.?|policy(?:holder)?|plan|coverage)|subscriber|beneficiary|member(?:ship)?|enrollee|certificate|claims?|group|payer|health[ -]?card|health plan|hmo|ppo|national insurance|n\.?i\.?|{_INSURERS})"
_FORMS = r"(?:card|policy|member(?:ship)?|subscriber|claim|plan|group|ref(?:erence)?\.?|certificate|ppo|hmo)"
_NAMED = re.compile(
    rf"(?i)(?<![a-z]){_OF_INSURED}[ _./-]?(?:{_FORMS}[ _.-]?){{0,2}}(?:{NUMBER})(?![a-z])|\b(?:nino|hicn|mbi)\b"
    rf"|\b(?:insurance|insured|covered|policy|plan|coverage|{_INSURERS})\b[^0-9.\n]{{0,40}}?\b(?:number|id|no\.|membership|member|policy|under|reads|says|shows|certificate|contract)\b"
    rf"|(?:医保|社保|医疗保险|社会保[障险]|参保|保险|保单|投保|理赔|赔案|养老金?|[交强工伤生育失业意外寿车财商业疾]{{1,3}}险|新农合|农合|合作医疗|医疗[证卡]|公费医疗|健保|劳保|惠民保)[{HAN}]{{0,8}}?(?:{NUMBER_ZH}|证号|案号|电脑号|个人账号)"
    r"|(?:医保|社保)卡?(?=[A-Z]*[0-9]|$)|保单(?=[A-Z]*[0-9]|$)|(?:参保|社保|医保)?个人编号"
    r"|(?:医保|社保|保险|保单|社会保障卡|[车寿意外疾病故]险)[^0-9。\n]{0,22}?(?:卡号|号码|编号|单号|号)(?=[是为: ,]|[A-Z0-9]|$)"
    "|报案号"
)
_NEAR = re.compile(
    rf"(?i)(?:\b(?:(?:policy(?:holder)?|member|claims?|insurance)(?: ref(?:erence)?)?|subscriber|group|health card|membership|certificate|insured|insurance(?: (?:policy|card|certificate|plan))?|nino|mbi|hicn|coverage|{_INSURERS})(?: is| was|,| (?:member|gold|plan|ppo|hmo|card))*[ :#(\"'*|=-]{{1,5}}"
    rf"|\b(?:insurance|insurer|coverage|insured (?:by|with)|covered by)\b[^0-9.\n]{{0,30}}[:,(] ?|insurance card\D{{0,12}})$"
    r"|(?:医保|社保|保险|保障)卡?[ :(|]{0,3}$|(?:保单|险单|[医社]保(?:电子)?(?:账户|凭证))[ :(|为是]{0,3}$"
)
_BEHIND = re.compile(
    rf"(?i)[ ,\"'*|)]{{0,3}}(?:(?:\(|is |was |,? ?(?:which|that)(?: i|')s |= ?|- ?|as )(?:my |his |her |their |the |our |your )?(?:{_OF_INSURED}[ ]?)(?:{_FORMS}[ ]?)?(?:{NUMBER})"
    rf"|(?:[,(（]|这?(?:就|个)?是|为)+(?:[我他她你您]|这)?(?:的|是|就是|我的|我|们)*(?:医保|社保|保险|保单|参保|医疗保险)[{HAN}]{{0,4}}?{NUMBER_ZH})"
)
_HINTS = hints(
    "insurance insured insurer insur ins policy policyholder policynumber plan medicare medicaid medi subscriber beneficiary member memberid membership enrollee certificate claim claims coverage covered nino ni mbi hicn bupa aetna cigna humana kaiser bcbs blue united unitedhealthcare uhc anthem tricare axa allianz metlife geico aviva ohip masshealth payer hmo ppo group health insuranceid insurancenumber national",
    "医保 社保 医疗 社会 参保 农合 保险 保单 投保 理赔 赔案 个人编号 合作 健保 劳保 险 惠民保 养老",
)
_CODES = Labels(_NAMED, _NEAR, _BEHIND, 5)
_MBI = re.compile(
    r"(?<![0-9A-Za-z])[1-9][A-HJKMNP-RT-Y][0-9A-HJKMNP-RT-Y][0-9]-?[A-HJKMNP-RT-Y][0-9A-HJKMNP-RT-Y][0-9]-?[A-HJKMNP-RT-Y]{2}[0-9]{2}(?![0-9A-Za-z])"
)
_HEALTH_CARD = re.compile(
    r"(?<![0-9A-Za-z])[0-9]{4}[ -][0-9]{3}[ -][0-9]{3}[ -]?[A-Z]{2}(?![0-9A-Za-z])"
)
_CONTRACT = re.compile(
    r"(?i:contract|policy|insured|membership)(?i: no\.?| number|:|#| is){0,3} (?P<value>(?=[A-Z0-9./-]{0,8}[0-9])[A-Z0-9]{2,6}(?:[-./ ]?[0-9]{1,4}){2,5})(?![0-9A-Za-z])"
)
"""Behind a word that says a contract only: in rows about insurance."""
_INSURED = re.compile(r"(?i)insurance|insurer|coverage|health card|medicare|medicaid|policy")


def insurance_numbers(read: ReadText) -> Found:
    """Behind a word for one; in rows about insurance those in the form of one."""
    if read.digits < 4 or not read.context.has(_HINTS):
        return
    yield from told_codes(read, _CODES)
    if read.context.says(_INSURED):
        for pattern in (_MBI, _HEALTH_CARD, _CONTRACT):
            for found in pattern.finditer(read.text):
                if not read.is_quiet(found.start()):
                    yield found.span("value" if pattern is _CONTRACT else 0)
