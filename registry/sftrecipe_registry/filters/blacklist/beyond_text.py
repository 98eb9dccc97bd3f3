"""Instructions that ask for what a model of text cannot see, hear, open or draw."""

# ruff: noqa: E501 - a pattern is read as a whole

from __future__ import annotations

from collections.abc import Callable, Sequence

from sftrecipe_registry.shared.text.case_folding import Pattern, fold, folded

_SEEN = (
    "images?|pictures?|photos?|photographs?|screenshots?|pics?|paintings?|drawings?|sketch(?:es)?"
    "|diagrams?|infographics?|selfies?|x-rays?|maps?|floor ?plans?|blueprints?|cartoons?|memes?"
)
_HEARD = (
    "videos?|clips?|audio(?: files?| clips?)?|recordings?|podcasts? episode|voice (?:note|memo)s?"
)
_FILE = "files?|documents?|attachments?|pdfs?|spreadsheets?|slides|scans?"
_CHARTS = "graphs?|charts?|(?:scatter|box|line|bar) ?plots?|histograms?"
_HERE = "below|above|attached|uploaded|shown|provided|here|i (?:sent|attached|uploaded|posted)"
_OBJECTS = f"{_SEEN}|{_CHARTS}|flowcharts?|illustrations?|portraits?|posters?|animations?|gifs?"
_LOOKED_AT = (
    rf"\b(?:this|these|the (?:following|above|attached|uploaded|given|provided)|my attached)"
    rf" (?:\w+ )?(?:{_SEEN}|{_HEARD})\b",
    rf"\b(?:attached|uploaded) (?:\w+ )?(?:{_FILE}|{_CHARTS}|{_SEEN}|{_HEARD})\b",
    rf"\b(?:{_SEEN}|{_HEARD}|{_CHARTS}) (?:that is |which is )?(?:{_HERE})\b",
    r"\b(?:see|open|read|look at|in|from|summari[sz]e) (?:the|my|this) attach(?:ment|ed)\b",
    rf"\b(?:describe|identify|recogni[sz]e|look at|caption|label)\b[^.?!]{{0,30}}"
    rf"\b(?:the|this) (?:{_SEEN})\b(?! (?:[\"“'‘«]|of\b|by\b|titled|called|named))",
    rf"\b(?:watch|listen to|transcribe) (?:this|the|my|that|these) (?:\w+ ){{0,2}}"
    rf"(?:{_HEARD}|songs?|music|track|movie|speech)\b",
)
_ORDER = (
    r"(?:^|[.!?:\n]\s*|\b(?:please|(?:can|could|would|will) you|you to|help me(?: to)?|to|i want|i need|and"
    r"|then|let'?s)\s+(?:please )?)"
)
"""An instruction begins, which a story does not with these words."""
_MADE = (
    rf"{_ORDER}(?:draw|sketch|paint|plot) (?:me |us )?(?:a|an|the|some|your|my|out a)\b"
    rf"(?! (?:conclusions?|comparisons?|distinctions?|parallels?|analog\w+|inferences?|lines? between"
    rf"|lessons?|connections?|cards?|balls?|samples?|bath|contrast|blank|salary|(?:\w+ )?plot twist"
    rf"|(?:vivid |verbal )?picture (?:with|in) words))",
    rf"{_ORDER}(?:generate|create|make|produce|design|show|render|give me|send me|build)"
    rf" (?:me |us )?(?:a|an|some|the)? ?(?:\w+ ){{0,2}}(?:{_OBJECTS}|{_HEARD}|logos?)\b"
    rf"(?! (?:scripts?|class\w*|structure|theory|algorithm|databases?|descriptions?|captions?|titles?"
    rf"|ideas?|prompts?|process\w+|games?|editor|gallery|player|app\w*|posts?|concepts?|names?"
    rf"|library|of (?:a |the )?(?:function calls|nodes|emotions)|campaign|marketing|tutorial outline"
    rf"|storage|recognition|upload\w*|component|tag|service|platform))",
    r"\b(?:go to|visit|open|click(?: on)?|browse|access) (?:this|the following|https?:|www\.|the (?:link"
    r"|url|website|web ?page))",
    r"\b(?:play|sing|hum|record) (?:me |us |this |a )*(?:song|tune|melody|music|audio)\b",
)
_IN_TEXT = (
    r"\b(?:code|python|matplotlib|seaborn|plotly|javascript|typescript|html|css|svg|canvas|latex|tikz"
    r"|mermaid|graphviz|ascii|emoji|sql|function|class|script|program|algorithm|json|java|c\+\+"
    r"|prompt for|alt text|in words|text-based|written|describe how|explain how|how (?:do|to|can|would)"
    r"|markdown|excel|turtle|d3(?:\.js)?|ggplot2?|matlab|react|regex|api|bash|command)\b"
)

_PICTURES_ZH = "图片|照片|图像|截图|相片|插图|海报|漫画|插画|示意图|流程图|思维导图|地图|设计图|草图|图表|折线图|柱状图|饼图"
_SEEN_ZH = (
    r"看图|如图|见图|(?:据|看|从|在|这个?|这张|这幅|该)图(?!书|形)|图[一二三1-3](?![0-9])(?:中|所示)?|图中|(?<!以)[下上左右]图(?!案)"
    rf"|(?:这|那|该|上面|下面|以上|以下|附件|上传|所给|给出|提供)(?:的|里|中|这|几|两|张|幅|个|段|份|一)*(?:{_PICTURES_ZH}|图画|画作)",
    r"(?:这|那|该|上面|下面|以下|附件|上传)(?:的|里|中|几|个|段|条|一)*(?:视频|音频|录音|语音|歌曲|影片)",
    r"(?:附件|附上|上传|打开|发(?:你|给你))(?:的|了|里|中|这|个|份|一)*(?:文件|文档|表格|PDF|Excel|附件)",
    r"(?:听|观看|收听|播放)(?:一下|这|那|下面|以下|一)(?:的|段|首|个)*(?:音乐|歌|视频|录音|音频)",
    r"(?:打开|点击|访问|浏览)(?:这个|以下|下面的?|下列)?(?:链接|网址|网页|https?:|www\.)",
)
_MADE_ZH = (
    rf"(?:生成|制作|绘制|设计|创作|创建|做|给我|发我|帮我画|画)(?:出|我|一|个|张|幅|份|副|些|几|套|关于|[^。?？!！,，;；\n]){{0,14}}?"
    rf"(?:{_PICTURES_ZH}|(?<!文)图(?=[。?？!！,，\s]|$)|视频|音频|动画|表情包|logo|标志图)"
    r"(?!的?(?:脚本|文案|描述|创意|标题|代码|提示词|方案|分类|处理|识别|说明|策划|思路|网站|平台|应用|软件|课程|剧本|编辑|剪辑|管理))",
    r"(?:^|[请我来能可以，,。])画(?:一|个|张|幅|出|只|副|点)(?!条线|个(?:圆满的?)?句号|上句号|饼)",
    r"(?:唱|弹|演奏|哼)(?:一)?(?:首|段|支|个)(?:歌|曲|音乐)",
)
_IN_TEXT_ZH = (
    r"代码|程序|函数|脚本|python|matplotlib|echarts|html|css|svg|latex|mermaid|ascii|字符画|文字(?:描述|形式|版)"
    r"|用文字|javascript|java|sql|matlab|如何|怎么|怎样|步骤|方法|算法|excel|markdown|提示词|r语言|命令"
)


def _joined(patterns: Sequence[str]) -> Pattern:
    return folded("|".join(f"(?:{pattern})" for pattern in patterns))


_HINTS = (
    "imag", "pic", "photo", "screenshot", "paint", "draw", "sketch", "diagram",
    "selfie", "x-ray", "map", "floor", "blueprint", "cartoon", "meme", "video", "clip", "audio",
    "record", "podcast", "voice", "attach", "upload", "pdf", "file", "graph", "chart", "plot",
    "histogram", "illustrat", "portrait", "poster", "animat", "gif", "logo", "watch", "listen",
    "transcribe", "go to", "visit", "open t", "open h", "open w", "click", "browse t", "browse h",
    "browse w", "access t", "access h", "access w", "song", "tune", "melody", "music", "excel",
    "图", "照", "相片", "影片", "表格", "画", "视频", "音", "录", "像", "海报", "表情包", "附", "打开", "点击", "访问", "浏览",
    "唱", "弹", "奏", "哼", "听", "播放", "文件", "文档", "上传", "链接", "截", "歌",
)  # fmt: skip
"""One of these stands in whatever the patterns find: most texts are done with them."""
_ENGLISH_HINTS = tuple(filter(str.isascii, _HINTS))


def _finder(
    looked_at: Sequence[str], made: Sequence[str], in_text: str
) -> Callable[[str, str], str | None]:
    """What is to be looked at is out of reach; what is to be made is not where text can be it."""
    see, make = _joined(looked_at), _joined(made)
    as_text = folded(in_text)

    def find(asked: str, lowered: str) -> str | None:
        found = see.search(lowered)
        if found is None and (found := make.search(lowered)) and as_text.search(lowered):
            return None
        return asked[slice(*found.span())].strip() if found else None

    return find


_ENGLISH = _finder(_LOOKED_AT, _MADE, _IN_TEXT)
_CHINESE = _finder(_SEEN_ZH, _MADE_ZH, _IN_TEXT_ZH)


def beyond_text(asked: str) -> str | None:
    """The words that ask for it, English or Chinese; None where nothing does."""
    lowered = fold(asked)
    english = asked.isascii()
    if not any(map(lowered.__contains__, _ENGLISH_HINTS if english else _HINTS)):
        return None
    return _ENGLISH(asked, lowered) or (None if english else _CHINESE(asked, lowered))
