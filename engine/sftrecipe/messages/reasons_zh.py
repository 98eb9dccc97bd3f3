"""Why rows are rejected by the engine itself, in Chinese."""

REASONS = {
    "missing_column": {
        "name": "缺少列",
        "meaning": "数据行没有数据源所指明的全部列",
        "remedy": "请用数据源的 map 写明实际的列名，或修正文件",
    },
    "wrong_type": {
        "name": "类型不符",
        "meaning": "某一列的内容不是文本，也不是对话",
        "remedy": "请修正该列，或用数据源的 map 改用其他列",
    },
    "bad_history": {
        "name": "历史对话格式有误",
        "meaning": "history 不是由成对文本组成的列表",
        "remedy": "请写成 [[问题, 回答], …]",
    },
    "bad_messages": {
        "name": "对话格式有误",
        "meaning": "对话不是由含角色与内容的对象组成的列表",
        "remedy": "请写成 [{{role: user, content: …}}, …]",
    },
    "bad_role": {
        "name": "角色无法识别",
        "meaning": "某一轮的角色无法识别",
        "remedy": "请在文件中改为 system、user、assistant 或 tool",
    },
    "roles_alternate": {
        "name": "角色没有交替",
        "meaning": "同一方连续发言",
        "remedy": "请在文件中合并这些轮次",
    },
    "late_system": {
        "name": "系统提示不在开头",
        "meaning": "系统提示出现在其他轮次之后",
        "remedy": "请在文件中移到开头",
    },
    "not_a_pair": {
        "name": "不是成对的回答",
        "meaning": "chosen 与 rejected 不是对同一段对话的两个回答",
        "remedy": "请使两者在回答之前的轮次相同",
    },
    "unread_part": {
        "name": "有无法读取的部分",
        "meaning": "某一轮含有 sftrecipe 不读取的部分",
        "remedy": "若可舍去，请写进数据源的 leave_out",
    },
    "bad_tool_call": {
        "name": "工具调用的参数不是 JSON 对象",
        "meaning": "工具调用的参数不是 JSON 对象",
    },
    "tool_results": {
        "name": "工具结果不匹配",
        "meaning": "工具的结果与之前的调用不对应",
        "remedy": "请按调用的顺序为每次调用写出结果",
    },
    "media_count": {
        "name": "媒体数量不符",
        "meaning": "文本中的占位符数量与媒体数量不一致",
        "remedy": "请为每个媒体写一个占位符",
    },
    "bad_media": {
        "name": "媒体路径有误",
        "meaning": "媒体不是路径列表",
        "remedy": "请写成 [路径, …]",
    },
    "open_thought": {
        "name": "思考没有结尾",
        "meaning": "思考没有结束，无法知道哪里是回答",
        "remedy": "请增大 max_tokens，或让模型少思考（thinking、reasoning_effort）",
    },
    "cut_off": {
        "name": "被截断",
        "meaning": "回复在写完之前就结束了",
        "remedy": "请增大 max_tokens",
    },
    "empty_answer": {
        "name": "回答为空",
        "meaning": "模型的回答是空的",
        "remedy": "如果全部用于思考，请增大 max_tokens；也请检查 stop 是否出现在回答开头",
    },
    "tool_call": {
        "name": "以工具调用作答",
        "meaning": "此处需要文本，而回复是工具调用，或该轮属于工具",
        "remedy": "请去掉数据行中的工具，或用 respond 作答",
    },
    "no_tools": {
        "name": "服务不支持工具",
        "meaning": "数据行带有工具，而服务不支持工具",
        "remedy": "请改用支持工具的 provider",
    },
    "prompt_failed": {
        "name": "提示词无法填写",
        "meaning": "无法用该行填写提示词",
        "remedy": "请只用每一行都有的列，或给出默认值：{{{{ column | default('') }}}}",
    },
    "call_failed": {
        "name": "调用失败",
        "meaning": "调用最终失败，没有回复",
        "remedy": "请用 sftrecipe doctor 查看原因，然后加上 --retry-failed 重新运行",
    },
    "context_too_long": {
        "name": "超出模型上下文",
        "meaning": "请求超出了模型的上下文",
        "remedy": "请缩短数据行（过滤器 length、生成器 chunk），或改用上下文更长的模型",
    },
    "request_too_large": {
        "name": "请求过大",
        "meaning": "请求大于服务器所允许的大小",
        "remedy": "请缩短数据行（过滤器 length、生成器 chunk）",
    },
    "unreadable_reply": {
        "name": "回复无法读取",
        "meaning": "收到了回复，但无法读取",
        "remedy": "请在账本中查看，然后加上 --retry-failed 重新运行",
    },
    "refused": {
        "name": "被拒绝回答",
        "meaning": "服务方拒绝回答该内容",
    },
    "nothing_made": {
        "name": "没有产出",
        "meaning": "该步骤没有从这一行得到任何数据",
    },
    "not_drawn": {
        "name": "未抽中",
        "meaning": "不用这一行，混合也已足够",
        "remedy": "请增大混合的 total，或该数据流的权重",
    },
}
"""引擎剔除数据行的原因：含义，以及可以修改什么。"""
