"""Signs in a sentence that it declines, redirects or fills: families of phrases, by language.

They are no verdict: how many words stand in sentences without any of them tells how much of an
answer there is, and a small model weighs them with the phrases themselves.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from sftrecipe_registry.filters.format.deflecting_signs import DEFLECTING
from sftrecipe_registry.shared.text.case_folding import fold, folded

_I = r"(?:i|we|this (?:chat|model|assistant|bot|service)|our team)"
_NOT = r"(?:not|n't|never|no longer)"
_EN = {
    "unable": rf"\b(?:i|we)(?:'m| am|'re| are)? (?:still learning|experiencing|only (?:able"
    rf"|support|speak|answer|communicate)|(?:just|only) support|aim to)|\b(?:i|we) (?:only"
    rf"|currently only) |"
    rf"\b{_I}(?:'m|'re| am| are| is| was| were)(?: \w+ly| just| also"
    rf"| still)? (?:{_NOT} (?:\w+ly )?"
    r"(?:able|allowed|permitted|qualified|designed|trained|equipped|built|programmed"
    r"|authori[sz]ed|capable"
    r"|comfortable|familiar|aware|sure|certain|supposed|meant|in a position|at liberty"
    r"|going to|the (?:right|best))"
    r"|unable|prohibited|forbidden|restricted|unaware|unfamiliar|limited)",
    "cannot": rf"\b{_I} (?:\w+ly |also |just |really )?(?:can'?t|cannot|can not|could(?:n't"
    rf"| not)|won't|will not"
    r"|would(?:n't| not)|do(?:n't| not)|did(?:n't| not)|have(?:n't| not)|should(?:n't| not)"
    r"|must not|lack|refuse"
    r"|decline|have no|am no|will have to pass|have to (?:\w+ly )?(?:pass|decline)"
    r"|must (?:\w+ly )?decline)\b"
    r"|\b(?:i'?m|being) not an? \w+|\bi'd (?:rather|prefer) not\b|\bi'?ll (?:have to )?(?:pass"
    r"|refrain|leave)\b"
    r"|^\W*(?:can'?t|cannot|couldn't|unable to|not able to|don'?t know|dunno|not sure|no idea"
    r"|no clue|idk)\b",
    "impossible": r"\bgoing to (?:decline|pass|stay out)|\bno (?:good|best|right|clear"
    r"|simple) (?:answer|way|reply)"
    r"|\b(?:leave|left) (?:this|that|it) to\b|\bi can only\b|\bnot? be right for me\b"
    r"|\buse the search\b"
    r"|\b(?:it|this|that|there)(?:'s| is| was| would be|'d be)? ?(?:not|n't|no"
    r"|im)\s?(?:be )?"
    r"(?:possible|appropriate|way|enough|something|my place|really (?:my|something)"
    r"|an? (?:task|question|request|topic)"
    r"|for me|information)|\b(?:cannot|can't|could not) be (?:fulfilled|completed|answered"
    r"|done|carried out|processed"
    r"|performed|generated)|\bisn't (?:something|possible|my|within|appropriate|supported)"
    r"|\b(?:request|response"
    r"|question|prompt|content|message|task)\b.{0,40}\b(?:denied|blocked|flagged|filtered"
    r"|violat\w+|declined"
    r"|rejected|not supported|inappropriate)|\bsomething went wrong|\bhigh demand"
    r"|\breached (?:the|your) limit|\b(?:best|better) (?:left|placed|learnt|suited)"
    r"|\bnot (?:apply|applicable) to me|\bstay out of|\bundo\b.{0,9}no$|\bdifferent topic"
    r"|\blet'?s (?:talk|chat)",
    "beyond": r"\b(?:outside|beyond|out of|over|not within"
    r"|falls? outside)(?: of)?(?: the)? ?(?:my|our|me|scope|what)\b"
    r"|\bnot my (?:area|field|thing|specialty|speciality|place|expertise)|isn't my\b"
    r"|\bnot (?:a|an) "
    r"(?:doctor|lawyer|attorney|physician|expert|professional|medical|financial|licensed"
    r"|substitute)",
    "sorry": r"\b(?:(?:sorry|unfortunately|i'?m afraid|sadly|alas)\b|apolog|regret)"
    r"|my apologies",
    "model": r"\b(?:an? )?(?:ai|artificial intelligence|language model|virtual assistant"
    r"|chatbot|computer program"
    r"|machine learning model|text-based)\b|\bmy (?:training|knowledge (?:cut|was|ends|base"
    r"|only)|programming"
    r"|guidelines|capabilities|developers|database|abilities)\b",
    "policy": r"\b(?:polic(?:y|ies)|guidelines|terms of (?:use|service)|ethic\w+|inappropriate"
    r"|harmful|offensive"
    r"|stereotyp\w+|respect(?:ful)?|responsible|irresponsible|confidential|privacy"
    r"|copyright\w*|safety reasons"
    r"|sensitive|controversial|subjective|neutral(?:ity)?|academic (?:dis)?honesty|misuse\w*"
    r"|not be appropriate)\b",
    "redirect": r"\bwise to\b|\bhave a (?:chat|word|talk) with\b|\b(?:consult|contact|ask"
    r"|asking|call|see|visit|speak|talk|speaking|talking"
    r"|reach out|reaching out"
    r"|refer|check|checking|try|hire|hiring|seek|seeking|look (?:it|this|that) up|google"
    r"|consulting|contacting"
    r"|visiting|question for|better to ask|best (?:person|left)|turn to|take (?:it|this|him"
    r"|her|your \w+) to"
    r"|directed? (?:your|to|this)|guide you|advise you|would be able to|will be able to"
    r"|can (?:help|assist|tell"
    r"|explain|advise|guide|provide))\b.{0,70}\b(?:doctor|physician|professionals?|specialist"
    r"|expert|lawyer|attorney"
    r"|advis[eo]r|therapist|counsel\w*|pharmacist|provider|agent|accountant|website|sites?"
    r"|pages?|app|manual"
    r"|documentation|docs|support|service|department|authorit(?:y|ies)|embassy|office|teacher"
    r"|instructor|librar\w+"
    r"|internet|online|web|google|forum|search\w*|books?|sources?|resources?|news|someone"
    r"|elsewhere|them|vet|clinic"
    r"|hospital|mechanic|electrician|plumber|planner|company|manufacturer|local|line"
    r"|dietiti?an|\w+ologist"
    r"|physio\w*|consultant|your \w+)\b|\b(?:plenty of|many) .{0,40}(?:online|on the (?:web"
    r"|internet))|\bgoogle it\b",
    "filler": r"\b(?:thank(?:s| you)|great question|good question|interesting|i understand"
    r"|i (?:completely |fully )?"
    r"(?:hear|see|appreciate)|i hope|hope (?:this|that|you|it)|important|it takes|feel free"
    r"|let me know|happy to help"
    r"|glad to help|love to help|here to help|anything else|other questions?|another (?:topic"
    r"|question|request|subject)"
    r"|something else|different topic|instead|good luck|best of luck|take care|regards"
    r"|best wishes|wish(?:es)? you"
    r"|welcome|remember|always|everyone|varies|vary|depends|complex|complicated|sensitive"
    r"|personal|factors"
    r"|hello|hi|good (?:morning|evening)|sure|certainly|of course|absolutely|more (?:details"
    r"|information|context)"
    r"|paste|describe|provide (?:more|the|me)|clarify|rephrase|try again|later)\b",
}
_ZH = {
    "unable": r"(?:我|本人|我们|本店|本服务|这边|小助手|系统|客服).{0,12}?(?:无法|不能|没法"
    r"|没办法|不便|不可以|做不到|办不到|不会|不敢"
    r"|不方便|无权|没有(?:能力|权限|权利|资格|办法|相关|足够|这|联网|实时|身体|味觉|情感|个人"
    r"|亲身|记忆|访问)|不具备|不支持|没有被|不被允许"
    r"|被禁止|拒绝|不愿|不想|不打算|不擅长|不在行|不熟|不了解|不清楚|不知道|不懂|不太|没(?:学"
    r"|用|去|吃|见|研究|听)过|无能为力|帮不|答不|看不"
    r"|打不开|听不|查不|说不|还没|暂时|暂不|不是(?:医生|律师|专业|专家)|不应|只能(?:回答|处理"
    r"|聊)|就不|不做|不作|不持|不发表|不提供|不参与|不涉及|未能|只支持|仅支持|不适合|不宜"
    r"|不建议|还在学|没有(?:实体|立场)|水平有限|不敢|不替)",
    "cannot": r"^\W*(?:这题)?(?:超纲|下一题|略过|跳过)|(?:说|讲|答)不(?:清|出|上来)"
    r"|无从(?:了解|得知|判断)"
    r"|不(?:方便|便)(?:给|透露|回答|说)|不(?:提供|给出)(?:答案|解答|建议|意见)|(?:还|也|都"
    r"|真)(?:没学|不会|没有学)"
    r"|还在学习|^\W*不会(?:做|改|写|弄|修|用|画|唱|算|翻译|这)|^\W*(?:这个)?没办法|不发表"
    r"|^\W*(?:不能|不会|不行|不可以)\W*$|^\W*(?:无法|不便|不知道|不清楚"
    r"|不懂|没法|恕|恐怕|拒绝"
    r"|无可奉告|爱莫能助|没(?:研究|用|听|去)过"
    r"|对不住|难说|不好说|不予|无权|暂不|暂时)|(?:无法|不能|不便|没法|难以)(?:为您|为你|给您"
    r"|给你|帮您|帮你|替您|替你|向您|直接|继续|在此|在这里)?"
    r"(?:提供|回答|作答|协助|帮助|满足|完成|继续|讨论|生成|参与|给出|回应|评论|判断|执行|处理"
    r"|透露|展示|访问|获取|查看|打开|识别|预测|确定|代劳|发表"
    r"|诊断|推荐|翻译|编写|创作|写|说|告诉|解答|理解|响应)",
    "impossible": r"(?:无法|不能|未能|不予)(?:完成|执行|显示|展示|处理|回答|通过)|(?:请求|问题"
    r"|内容|指令|任务|话题).{0,12}(?:违反|违规|拦截|不当"
    r"|敏感|屏蔽|超出|不支持|无法)|信息(?:不足|太少|不够)|没有(?:足够|相关|找到|依据|此|该)"
    r"|(?:已|被)(?:停止|终止|过滤|拦截|屏蔽)|未能(?:生成|完成|获取)|(?:网络|系统|服务)(?:错误"
    r"|异常|繁忙|超时)|出错|上限|不(?:持|表)(?:立场|态)|不适用|不宜|不合适|不妥|难以(?:回答"
    r"|判断|确定|给出)",
    "beyond": r"超出.{0,10}(?:范围|能力|职责)|不(?:属于|在).{0,12}(?:范围|职责|能力|知识库"
    r"|专长)|不是我的|不归|没有.{0,6}(?:功能|能力)"
    r"|能力有限|水平有限",
    "sorry": r"抱歉|对不起|遗憾|不好意思|歉意|恕|请(?:您|你)?(?:谅解|原谅|见谅|理解)|敬请谅解"
    r"|恐怕",
    "model": r"由.{1,12}(?:开发|训练|研发|推出).{0,8}(?:助手|模型|AI)|作为.{0,8}(?:AI|人工智能"
    r"|语言模型|大模型|助手|机器人|程序|模型)|(?:我"
    r"|只)是.{0,10}(?:AI|人工智能|语言模型|程序|机器人|大模型|助手)"
    r"|训练数据|知识(?:库|截止|截至)|联网",
    "policy": r"法律法规|政策|规定|规范|原则|违反|隐私|保密|机密|版权|安全(?:考虑|原因|起见)"
    r"|敏感|中立|不当|有害|歧视|尊重|负责任|积极健康|学术诚信|道德",
    "redirect": r"(?:建议|请|可以|最好|不妨|还是|需要|应该|需|去|到|找|问问|欢迎|麻烦|直接"
    r"|让)[^。！？]{0,16}(?:咨询|联系|询问|请教|请示|就诊|就医|面诊"
    r"|去医院|到医院|找|问|查阅|查询|查看|参考|搜索|百度|拨打|求助|寻求|关注|登录|访问|前往"
    r"|了解|看看|遵医嘱|看医生|医生|专业|专家|律师|客服|官网|官方"
    r"|部门|机构|资料|老师)|遵医嘱|自行(?:百度|搜索|查)|自己(?:搜|查|看看|找|百度)|网上(?:有"
    r"|可以|能)|(?:翻阅|查阅|看)(?:教材|课本|说明书|视频)"
    r"|问.{0,4}(?:老板|店|师傅|医生|老师)去|百度一下|(?:教练|师傅|店家|店里|老板"
    r"|厂家|专家|大师|机构|培训班|起名网)|以.{0,16}为准|他们会|医生会",
    "filler": r"感谢|谢谢|理解您|理解你|明白您|好问题|很好的问题|希望|祝|您好|你好|亲[，,]"
    r"|很高兴|乐意|其他问题|别的|换个|换一个|随时|更多信息|还有什么"
    r"|很重要|非常重要|每个人|因人而异|具体情况|一概而论|各地|涉及|复杂|敏感|重新|稍后"
    r"|当然可以|没问题|好的|提供更多|粘贴|描述一下|欢迎",
}
_SIGNS = {
    language: {name: folded(pattern).search for name, pattern in signs.items()}
    for language, signs in (("en", _EN), ("zh", _ZH))
}
_AWAY = {
    language: {name: folded(pattern).search for name, pattern in signs.items()}
    for language, signs in DEFLECTING.items()
}
_SENTENCES = re.compile(
    r"(?<=[.!?;])\s+|(?<=[。！？；])|\n+|(?<=，)(?=不过|但|然而)|(?<=,) (?=but |however)"
)
_IDIOMS = (
    r"\b(?:can(?:no|')t|couldn'?t|could not|can not) (?:believe|wait\b|"
    r"imagine|be (?:happier|better|more"
    r"|prouder)|go wrong|help but|get enough|say enough|thank\b|stress|"
    r"ask for (?:more|better)|agree more"
    r"|(?:recommend|praise)\b.{1,40}\benough)|真?不敢(?:相信|想象)|不能更|不知道说什么好"
    r"|\b(?:afraid|unfortunately) (?:not|so)\b|\bsorry (?:to (?:hear|learn)|about (?:that"
    r"|this|the)|for (?:your (?:loss|trouble)|the (?:trouble|delay|wait|mix-?up)"
    r"|your troubles)|i'm late|i kept)\b|(?:抱歉|遗憾|难过).{0,4}听(?:说|到|闻)|(?:抱歉"
    r"|对不起).{0,6}(?:让[您你].{0,3}久等|给[您你].{0,4}带来)|听到.{0,14}(?:抱歉|难过"
    r"|遗憾)"
)
"""What is said with the words of a refusal and is praise or sympathy."""
_FOLDED_IDIOMS = folded(_IDIOMS)
_ANY_IDIOMS = re.compile(_IDIOMS, re.IGNORECASE)
_DECLINING = ("unable", "cannot", "impossible", "beyond")
_EVASIVE = ("sorry", "model", "deflects", "stalls", "policy", "redirect")
_REFUSING = frozenset(f"@says:{name}" for name in (*_DECLINING, "sorry", "model"))
_OTHER = (0, 2, 5, 9, 14, 20, 30, 45)
"""Bounds of the words in sentences without a sign."""
_MOST = 40
"""Sentences that are looked at: an answer of more has said something."""


def declining_sentence(answer: str, language: str) -> str:
    """The sentence that shows a refusal best."""
    sentences = [sentence.strip() for sentence in _SENTENCES.split(answer) if sentence.strip()]
    signs = _SIGNS[language] | _AWAY[language]
    for names in (_DECLINING, _EVASIVE):
        for sentence in sentences:
            if any(signs[name](fold(sentence)) for name in names):
                return sentence
    return sentences[0]


def refuses(marks: list[str]) -> bool:
    """Whether a sign of refusing stands there: an answer that only directs somewhere has none."""
    return not _REFUSING.isdisjoint(marks)


def sends_away(answer: str, language: str) -> bool:
    """Whether a sentence sends the asker elsewhere or puts him off."""
    sentences = [fold(sentence) for sentence in _SENTENCES.split(answer)[:_MOST]]
    return any(found(sentence) for found in _AWAY[language].values() for sentence in sentences)


def sign_marks(answer: str, language: str) -> Iterator[str]:
    """The signs that stand in the answer, where they stand, and how many words stand apart."""
    plain = _ANY_IDIOMS.sub("…", answer) if _FOLDED_IDIOMS.search(fold(answer)) else answer
    sentences = [sentence for sentence in _SENTENCES.split(plain) if sentence.strip()]
    found: set[str] = set()
    other = 0.0
    for at, sentence in enumerate(sentences[:_MOST]):
        folded_sentence = fold(sentence)
        signs = {name for name, found in _SIGNS[language].items() if found(folded_sentence)}
        found |= signs
        if at == 0:
            yield from (f"first:{name}" for name in signs)
        if not signs or (signs <= {"filler"} and _size(sentence, language) > 25):
            other += _size(sentence, language)
    yield from (f"says:{name}" for name in found)
    declines = any(name in found for name in _DECLINING)
    if declines:
        yield "declines"
    for bound in _OTHER:
        if other > bound:
            yield f"other>{bound}"
            if declines:
                yield f"declines,other>{bound}"
    if len(sentences) == 1:
        yield "lone"


def _size(sentence: str, language: str) -> float:
    return len(sentence) / 2 if language == "zh" else len(sentence.split())
