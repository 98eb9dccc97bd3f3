"""Numbers of patients' records."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.codes import HAN, NUMBER, NUMBER_ZH, Labels, told_codes
from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_OF_PATIENTS = r"(?:medical|med\.?|health|hospital|hosp\.?|patient(?:'s)?|pt\.?|chart|clinic|clinical|dental|inpatient|outpatient|in-patient|out-patient|emr|ehr|nhs|chi|opd|ipd|umrn|uhid|ward|encounter|admission|accession|specimen|lab(?:oratory)?|path(?:ology)?|radiology|x-?ray|mri|ct|imaging|emergency|er|ed|trauma|donor|blood bank|registry|unit|file|record|case|visit|referral|prescription|rx|wristband|bracelet|m\.?r\.?|i\.?p\.?|o\.?p\.?|subject|participant|surgery|practice|discharge|crn|hrn|urn|csn|fin|folder|bradma)"
_FORMS = r"(?:records?|rec\.?|chart|file|folder|card|account|acct\.?|case|ref(?:erence)?\.?|study|registration|dept\.?|department|summary|visit|exam|report|wristband)"
_NAMED = re.compile(
    rf"(?i)(?<![a-z])(?:(?:{_OF_PATIENTS}[ _./-]?(?:{_FORMS}[ _.-]?){{0,2}}{NUMBER}(?![a-z]))|u?mrns?(?![a-z])|uhid(?![a-z])|med\.? rec\b\.?|wristband (?:reads|says|shows|has))"
    rf"|(?:病历|病案|住院|门诊|急诊|就诊|诊疗|检查|处方|采血|患者|病人|腕带|入院|出院|体检|化验|检验|标本|病理|影像|放射|超声|CT|MRI|X光|B超|彩超|内镜|胃镜|肠镜|心电图?|放疗|透析|血透|产检|孕妇|母子|保健|口腔|牙科|门特|特病|慢病|健康(?:卡|码|档案)|医嘱|手术|挂号|医疗)[{HAN}A-Za-z]{{0,8}}?{NUMBER_ZH}"
    rf"|(?<![{HAN}])诊?(?:疗|断)?(?:诊号)|病历本?(?=[A-Z]*[0-9]|$)|(?:登记|档案)号|(?<![A-Za-z])ID ?号"
    r"|(?:就诊卡|医院|病历|住院|腕带|诊疗卡|门诊|看病)[^0-9。\n]{0,16}?(?:卡号|号码|编号|号)(?=[是为: ]|[0-9]|$)"
)
_NEAR = re.compile(
    r"(?i)(?:\b(?:charts?|records?|(?:medical|health|patient|clinic|hospital|dental) (?:records?|files?|charts?)|patient|pt|encounter|accession|specimen|er visit|path(?:ology)? report|study participant|u?mrn|uhid|crn|hrn|urn|csn|fin|folder|bradma|m\.?r\.?n?\.?|hosp|ohip)[ :#(\"'*|=-]{1,4}"
    r"|\b(?:her|his|my|their|the|patient'?s?|medical|hospital|clinic) (?:charts?|records?|file|case) (?:is |was |were )?(?:filed |kept |registered |listed |under ){1,3}(?:number |no\. ?|#)?)$"
    r"|(?:病历|病历档案|就诊卡|诊疗卡|住院|门诊|病案)[ :(【#/]{0,3}$"
)
_BEHIND = re.compile(
    rf"(?i)[ ,\"'*|)]{{0,3}}(?:(?:\(|is |was |,? ?(?:which|that)(?: i|')s |= ?|- ?|as )(?:my |his |her |their |the |our |your |patient'?s? |mom'?s |dad'?s )?(?:(?:{_OF_PATIENTS}|{_FORMS})[ ]){{0,2}}(?:mrn|uhid|(?:{_OF_PATIENTS}|{_FORMS})[ ]?(?:{NUMBER}))"
    rf"|(?:[,(（]|这?(?:就|个)?是|为)+(?:[我他她你您]|妈妈|爸爸|患者|孩子|这)?(?:的|是|就是|我的|我|们)*(?:病历|病案|住院|门诊|就诊|诊疗|患者|体检)[{HAN}]{{0,4}}?{NUMBER_ZH})"
)
_HINTS = hints(
    "csn hrn urn fin crn folder bradma inpatient outpatient ward lab laboratory mrn mrns umrn uhid emr ehr nhs chi opd ipd record records chart charts hosp hospital patient patientid patients pt rec case admission admitted encounter visit accession specimen file unit clinic clinical med medical mr ip op rx prescription radiology pathology path ray mri trauma donor registry referral subject participant wristband health dental chartnumber recordnumber surgery practice registered discharge emergency blood bank er ed csn",
    "号 编 病 住院 门诊 就诊 诊 登记 档案 检 标本 影像 放射 超声 ct mri x光 镜 心电 放疗 透析 血透 产检 孕妇 母子 保健 口腔 牙科 门特 健康 医 手术 挂号 患者 腕带 入院 出院 mrn id",
)
_MEDICAL = hints(
    "patient patients hospital clinic ward doctor dr nurse surgery surgeon outpatient inpatient admitted discharge discharged cardiology oncology physician gp practice appointment mercy clinic medical dental dentist",
    "患者 病人 医院 门诊 就诊 挂号 住院 采血 科室 诊 手术 医生 护士 看病 心内科 骨科 妇科 病 孕",
)
"""Rows about the treatment of somebody: where weaker words tell a record's number."""
_WEAK_NAMED = re.compile(
    r"(?i)\b(?:(?:account|acct|file|record|case|ref(?:erence)?|registration|study|our ref|your ref|letter|card)\.?(?: ?(?:number|no\b\.?|num|id|#))?|(?:registered|file|chart|record) (?:at|with|in) [^.\n0-9]{0,30}(?:under|is)|(?:number|no\.|id))(?=[ :#.(]|$)"
    rf"|(?:登记|档案|检查|处方|条码|流水|预约|挂号|报告|申请单?|卡|影像|化验单?|序)[{HAN}]{{0,3}}?{NUMBER_ZH}|(?<![{HAN}])(?:ID|编号)"
)
_NAMES = Labels(_NAMED, _NEAR, _BEHIND, 4)
_WEAK = Labels(_WEAK_NAMED, re.compile(r"(?!)"), re.compile(r"(?!)"), 5, gap=16)


def record_numbers(read: ReadText) -> Found:
    """Numbers of patients, their charts, visits and specimens; files of any kind in rows about treatment."""
    if read.digits < 4 or not read.context.has(_HINTS):
        return
    yield from told_codes(read, _NAMES)
    if read.context.has(_MEDICAL):
        yield from told_codes(read, _WEAK)
