"""Greetings, thanks and frames around what is asked: they ask nothing themselves."""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from sftrecipe_registry.shared.meaning.lexicon import chinese
from sftrecipe_registry.shared.meaning.traditional import simplified

_QUOTES = str.maketrans("‘’‚‛“”„‟`´", "''''\"\"\"\"''")
_ASK = (
    r"(?:tell|give|show|teach|explain to|describe to|let) (?:me|us) (?:know )?(?:about )?|"
    r"(?:please )?help (?:me|us)(?: to)?(?: (?:understand|out)(?: with)?)?|"
    r"(?:i|we) (?:just |really |only )?(?:want|need|would like|wish|wanted|'d like)"
    r"(?: you)? to (?:know|ask|understand|learn|find out)(?: about)?|"
    r"(?:i|we)(?: am| are|'m|'re|m)? (?:was |were |been )?(?:just )?(?:wondering|curious)"
    r"(?: about| to know)?(?: if| whether)?|"
    r"(?:do|does) (?:you|anyone|anybody|someone) (?:happen to )?know|"
    r"(?:may|might|can|could) i (?:just )?ask(?: you)?"
    r"(?=:| (?:what|how|why|when|where|who|which|if|whether)\b)|"
    r"would (?:you|it be) mind(?: telling me)?|"
    r"(?:can|could|would|will|may) (?:you|u|anyone|anybody|someone|somebody)"
    r"(?: please| kindly| possibly| maybe| perhaps)?(?: be (?:so kind|able) (?:as )?to)?|"
    r"are (?:you|u) able to|is it possible (?:for you )?to|"
    r"(?:i|we) (?:need|want|would like|'d like) (?:you to|some help (?:with|on)|help (?:with|on))|"
    r"(?:i|we) have (?:a|one|another) (?:quick |short |small |simple )?question(?: about| on)?|"
    r"(?:just )?(?:a|one|another) (?:quick |short |small |simple )?question"
)
_FRAMES = re.compile(
    # Marks of a role or a number before the text.
    r"^\W*(?:(?:question|instruction|instructions|user|human|prompt|task|query|q|input|subject)"
    r"(?: ?(?:#|no\.?)? ?\d{1,4})? ?[:.)\-]|q?\d{1,4}(?:[.)](?= |[^\W\d]|[\u3400-\u9fff])|、)|"
    r"#+ ?instruction:?)|"
    r"\b(?:assistant|answer|response|output) ?: *$|"
    r"^\W*(?:sure|certainly|of course|absolutely|great)?\W*here(?:'s| is| are)[^.:\n]{0,40}[:.]|"
    # Greetings, with whom they go to.
    r"\b(?:hi|hello|hey|hiya|howdy|greetings|good (?:morning|afternoon|evening|day)|dear)\b"
    r"(?:[ ,]+(?:there|all|everyone|everybody|team|folks|guys|friends?|sir|madam|ma'am|"
    r"doctors?|docs?\b|dr\b\.?|professor|chatgpt|gpt|claude|assistant|ai|bot))*[ ,.!:-]*|"
    r"\b(?:hope|trust) (?:you are|you're|this (?:message|email) finds you|all is)"
    r"(?: doing)?(?: well| fine| good| great)*[ .,!]*|"
    r"\b(?:please )?(?:answer|reply|respond|help)(?: me)? "
    r"(?:soon|asap|quickly|urgently|as soon as possible)\b|"
    # Thanks and farewells.
    r"\b(?:many |a lot of )?(?:thanks?|thx|ty|tysm|cheers)\b(?:[ ,]+(?:you|u|so much|very much|"
    r"a (?:lot|bunch|million|ton)|again|in advance|for (?:your|the|any|all) [a-z]+|"
    r"for (?:helping|reading|answering)))*[ .!]*|"
    r"\b(?:and )?have an? (?:nice|great|good|lovely|wonderful) (?:day|one|evening|weekend|time)|"
    r"\bany (?:help|advice|idea|ideas|suggestions?|tips|input|guidance|pointers)"
    r"(?: (?:would|will|is|are)(?: be)?)?(?: (?:much|greatly|really|highly))?"
    r"(?: (?:appreciated|welcome|great|nice))|\bappreciate (?:it|your (?:help|time|input))|"
    r"\b(?:best|kind|warm)? ?regards\b[, ]*|\b(?:yours )?sincerely\b|"
    # Excuses.
    r"\b(?:excuse me|pardon me|sorry (?:if|for|to)[^,.?!]{0,60}[,.?!]|sorry)(?: but)?|"
    r"\b(?:i )?hope (?:this|that|it) helps[^.!?\n]*|\blet me know if[^.!?\n]*|"
    r"\bif you have (?:any )?(?:more|other|further) questions[^.!?\n]*|"
    r"\bi hope you (?:can|could) help(?: me)?|"
    # Fillers.
    r"\b(?:please|pls|plz|plss|kindly|umm*|uhh*|hmm+|erm|btw|lol|asap|urgent(?:ly)?|"
    r"if you (?:can|could|don't mind|do not mind|know|would)|if possible|"
    r"when you (?:have time|get a chance)|by the way|take your time|be creative|"
    r"(?:explain|answer|describe) (?:it )?(?:clearly|simply|well)[.!]|"
    rf"{_ASK})\b",
    re.ASCII,
)
_OPENING = re.compile(
    r"^\W*(?:(?:(?:so|ok|okay|well|now|right|alright|also|and|but)\b[ ,:]*|"
    r"(?:doctors?|doc|dr|sir|madam|ma'am)\b\.? ?[,:!])\W*)+"
)
_MAYBE = re.compile(
    r"^\W*(?:q?\d|#|(?:so|ok|okay|now|right|alright|also|and|but|well)\b)|: ?$|"
    r"\b(?:question|instructions?|user|human|prompt|task|query|q|input|subject|here|hi|hello|hey|"
    r"hiya|howdy|greetings|doctors?|doc|dr|sir|madam|reply|respond|help|good|dear|hope|trust|thanks?|thx|ty|tysm|cheers|have|any|appreciate|"
    r"regards|sincerely|excuse|pardon|sorry|let|if|i|we|you|u|us|please|pls|plz|plss|kindly|umm*|"
    r"uhh*|hmm+|erm|btw|lol|asap|urgent|urgently|possible|by|take|be|explain|answer|describe|me|"
    r"anyone|anybody|someone|somebody|question|mind)\b"
)
_MARKUP = re.compile(
    r"<(/?[a-z][a-z0-9]*)(?: [^<>]{0,80})?/?>|\(source:[^)]{0,60}\)|https?://\S+|^[-=*_#>~ ]+$",
    re.MULTILINE,
)


@cache
def _chinese_courtesies() -> re.Pattern[str]:
    every = chinese().courtesies
    long = "|".join(re.escape(word) for word in every if len(word) > 1)
    short = "".join(word for word in every if len(word) == 1)
    heads = "问题|指令|用户|提问|提示|任务|题目|问|输入"
    frames = (
        r"^\W*(?:医生|大夫|老师)\W+|^(?:好的|当然|没问题)?\W*以下是[^:\n]{0,20}:|"
        r"希望[^。!\n]{0,12}(?:有所?帮助|帮到(?:您|你))|"
        r"如果?(?:您|你)?还有(?:其他|别的|任何)?(?:疑问|问题)[^。!\n]{0,20}|"
        r"欢迎随时(?:提问|咨询|联系)(?:我们?)?|"
        r"(?:要求)?(?:语言|回答|答案)(?:要|尽量)?(?:简洁|简明|清晰|准确|详细)|"
        r"分点(?:作答|回答|说明|阐述)|"
        r"(?:简要|详细|分步|逐步)(?:回答|作答)|此致\W*敬礼|顺祝[^。!\n]{0,8}|"
        r"助手 ?:$|在线等\W*挺?急的?|据悉"
    )
    return re.compile(rf"{frames}|^\W*(?:{heads})\d* ?:|{long}|(?<!\w)[{short}]+(?!\w)")


def bare(text: str) -> str:
    """What is asked, in lower case and simplified characters, without what surrounds it."""
    plain = without_courtesies(folded(text))
    return plain if plain.isascii() else simplified(plain)


def folded(text: str) -> str:
    """In lower case, without accents, markup and full-width forms."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text.translate(_QUOTES))
        text = "".join(
            part for part in unicodedata.normalize("NFKD", text) if not "\u0300" <= part <= "\u036f"
        )
        text = unicodedata.normalize("NFC", text)
    return _MARKUP.sub(" ", text.lower())


def without_courtesies(folded_text: str) -> str:
    """The text, folded before, without what only surrounds the question; all of it where nothing
    would be left."""
    text = folded_text
    if not text.isascii():
        text = _chinese_courtesies().sub(" ", text)
    if _MAYBE.search(text):
        text = _OPENING.sub(" ", _FRAMES.sub(" ", text))
    return text.strip(" \t\n,.!;:") if any(map(str.isalnum, text)) else folded_text
