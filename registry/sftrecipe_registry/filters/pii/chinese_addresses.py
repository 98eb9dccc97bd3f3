"""Postal addresses of private persons in Chinese: a place, and behind it numbers down to the door."""

# ruff: noqa: E501 - expressions and lists of words are read whole
from __future__ import annotations

import re

from sftrecipe_registry.filters.pii.personal_span import Found, ReadText, hints

_HAN = "\u4e00-\u9fff"
_COUNT = r"(?:[0-9]{1,5}|[零〇一二三四五六七八九十百两]{1,6}|[甲乙丙丁]|[A-Za-z](?![A-Za-z]))"
_NUMBERED = rf"{_COUNT}[ ]?(?:号?宿舍楼|号?学生公寓|号楼|号院|號樓|寝室|单元|單元|弄|号|號|巷|栋|幢|棟|座|楼|樓|层|層|室|户|門|门|房|组|社|队|屯|排|期|段|区|號)(?![线令台文召码称机型厅梯主])(?:之[0-9一二三四五]{{1,2}}号?)?"
_CHAIN = re.compile(
    rf"(?<![0-9月第周A-Za-z.-])(?:{_NUMBERED}(?:[ ]?(?:(?![的了和在给是有今共每等至到，])[{_HAN}·]){{0,11}}?[ ]?{_NUMBERED}){{0,7}}(?:[ ]?(?:[{_HAN}]{{2,6}}[ ]?)??[0-9]{{1,4}}(?:-[0-9]{{1,4}}){{0,3}}(?:室|户|房)?(?![0-9年月日.%元个人米岁]))?"
    r"|[0-9]{1,3}(?:-[0-9]{1,4}){1,3}(?:室|户)?(?![0-9./:]))"
)
"""The numbers of an address, with names of buildings between (`12号绿城花园3幢1单元502室`, `8-2-301`)."""
_HEAD = re.compile(
    rf"(?:[{_HAN}0-9·]|(?<=[省市区县州路街道号村镇]) (?=[{_HAN}0-9])|(?<=[省市区县州]),[ ]?){{2,44}}[ ]?\Z"
)
_CUT = re.compile(
    r".*(?:住址|地址|住所|所在地|户籍地?|户口|居住地|地点|位置|我家|他家|她家|[改写]成|老家|[的我你他她您是在到至了往住址给位换]|于(?![都洪田])|从(?![化江])|为(?=[^ ]{2})|家(?=[住在]))(?![宅房])[是为在于了 ]*(?:[:\"|] ?)*"
)
_HOME = re.compile(
    r"(?:住|住址|(?<!店)地址|住所|所在地|户籍地?|户口(?:所)?|居住地?|地点|老家|[我他她]家|家|寄|邮|送|搬|快递|发货?|配送|派送|收货|签收|取件|租|叫个?车|救护车|这里|房子|房屋|坐落|上车|收件人|联系人|(?i:address))[^。!?\n]{0,8}$|(?:地址|住哪)[^\n]{0,8}\?\s*\n?(?:[\u4e00-\u9fffA-Z]{1,6}:)? ?$"
)
"""Words for where somebody lives, or where his parcel goes."""
_HOME_NEAR = re.compile(
    r"[居租]住|家住|住[在于址]|收货|收件|户籍|[寄送搬]到|家庭|快递|[:,] ?住|搬家|我家|老家"
)
_COMPANY = re.compile(
    r"公司|医院|门店|店址|总部|注册地|办公|校址|学校|景点|景区|地铁|公交|餐厅|餐馆|饭店|酒店|宾馆|博物馆|故宫|纪念馆|法院|派出所|银行|政府|大学(?:位于|在|地址)|[本们小分]店|店(?:在|位于|开)|厂|中心(?:位于|地址|在)|营业厅|使馆|图书馆|公园|教堂|机场|车站|商场|超市|[中小]学|幼儿园|事务所|诊所|药店|网点|故居|旧址|展馆|剧院|影院|机构"
)
_FAMOUS = re.compile("贝克街|唐宁街|景山前街|女贞路|人民大道200|复兴门|宾夕法尼亚|华尔街")
_NO_PLACE = re.compile(
    "知道|难道|报道|味道|渠道|轨道|通道|城市|每|我们|你们|他们|如何|什么|这|那|怎么|可以|需要"
)
_REGION = re.compile(
    r"省|自治[区州县]|市|(?<!小)区|县|镇|乡|村|街道|[盟旗邨]|北京|上海|天津|重庆|香港|澳门|九龙|新界|台[北中南湾]|新疆|西藏|内蒙古|广西|宁夏|杭州|深圳|广州|成都|武汉|南京|苏州|西安|长沙|郑州|青岛|沈阳|大连|厦门|宁波|合肥|济南|福州|昆明|哈尔滨|长春|石家庄|浦东"
)
_ROAD = re.compile(
    rf"[路街巷弄道里村镇邨屯庄](?:[东南西北中]|[{_HAN}0-9]段)?[ ]?$|大道|大街|胡同|[环街路]"
)
_ESTATE = re.compile(
    "小区|花园|苑|公寓|大厦|广场|家园|新村|社区|大学|学院|[城庭园府湾轩阁邸台居院寓墅郡岸庄里邨楼厦樾香天街都]"
)
_BUILDING = re.compile("栋|幢|棟|座|号楼|號樓|宿舍楼|公寓")
_DOOR = re.compile("单元|單元|室|户|門|门|房|楼|樓|层|層|[0-9]{3,4}$|-[0-9]{1,4}$")
_VILLAGE = re.compile(rf"[村屯庄镇乡](?:[{_HAN}]{{0,4}})$")
_COUNTS = re.compile("[0-9]+|[零〇一二三四五六七八九十百]+")
_SIGHT = re.compile(rf"[{_HAN}]{{0,8}}(?:是一|是我国|是著名|是个)")
_LIVES = re.compile("住|地址")
_COUNTED = ("年", "%", "元", "个", "人", "次", "月", "家", "厅", "米", "级")
"""What makes the number before it a quantity."""
_HINTS = hints(
    "", "号 號 室 栋 幢 棟 弄 座 单元 组 楼 樓 层 屯 村 小区 地址 住 家 户籍 寄 送 房 居"
)


def chinese_addresses(read: ReadText) -> Found:
    """Where somebody lives: a place with its number, behind a word for it or down to the door."""
    if read.text.isascii() or not read.context.has(_HINTS):
        return
    last = 0
    for chain in _CHAIN.finditer(read.text):
        head = _HEAD.search(read.text, max(last, chain.start() - 44), chain.start())
        if not head or read.text[chain.end() :][:1] in _COUNTED:
            continue
        cut = _CUT.match(head[0])
        start = head.start() + (cut.end() if cut else 0)
        if _is_home(read, start, chain) and not read.is_quiet(start):
            start += len(read.text[start:]) - len(read.text[start:].lstrip(" ,"))
            yield start, chain.end() - (chain[0][-1] in " -,")
            last = chain.end()


def _is_home(read: ReadText, start: int, chain: re.Match[str]) -> bool:
    place = read.text[start : chain.start()].strip()
    if len(place) < 2 or _NO_PLACE.search(place) or _FAMOUS.search(place + chain[0][:3]):
        return False
    before = read.said_before(start, 24)
    clause = re.split("[。!?;\n]", before[-16:])[-1]
    if _COMPANY.search(clause) and not _HOME_NEAR.search(clause):
        return False
    is_told = _HOME.search(before) is not None
    if not is_told and _SIGHT.match(read.text, chain.end()):
        return False
    return _reaches_door(place, chain[0], is_told, is_told and bool(_LIVES.search(before[-8:])))


def _reaches_door(place: str, numbers: str, is_told: bool, lives: bool) -> bool:
    """Whether it is a place down to the house: three levels with a number, a flat; behind a word
    for where somebody lives or gets his parcels also a house of a street, a village, an estate."""
    has_suffix = re.search(rf"[{_HAN}]", numbers) is not None
    has_estate = _ESTATE.search(place[-3:]) is not None
    levels = len(_REGION.findall(place))
    is_road = bool(_ROAD.search(place)) and bool(re.search("[号號弄]", numbers))
    has_door = has_suffix and bool(_DOOR.search(numbers[1:]))
    has_flat = has_door and bool(_BUILDING.search(numbers) or is_road)
    is_house = levels > 0 and bool(_BUILDING.search(numbers))
    is_whole = levels >= 3 and bool(re.search("[号號]", numbers))
    in_estate = has_estate and len(_COUNTS.findall(numbers)) > 1
    if is_whole or (has_flat and (levels or is_road or in_estate)):
        return True
    in_village = bool(_VILLAGE.search(place) and re.search("[组社队屯号]", numbers))
    on_road = is_road and (levels > 0 or lives)
    at_door = has_flat or (has_estate and (has_door or not has_suffix))
    return is_told and (at_door or on_road or is_house or in_village)
