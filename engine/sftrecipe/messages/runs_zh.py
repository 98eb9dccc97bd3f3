"""Chinese messages of runs that are named, and of what Python programs alone can do wrong."""

RUNS = {
    "no-run": "文件夹 '{folder}' 里没有运行结果",
    "not-run-yet": "配方 '{recipe}' 还没有运行过：'{folder}' 中没有内容",
    "no-such-run": "运行 '{run}' 不存在",
    "python-value": "值的 Python 类型是 {found}，应为文本、数字、布尔值、None、列表或字典",
    "python-number": "数字 '{value}' 无法写入 JSON",
    "python-deep": "值的嵌套超过 {limit} 层，或包含自身",
    "python-large": "配方超过 {limit} 个值",
    "no-such-stream": "运行 '{run}' 没有名为 '{stream}' 的数据流",
    "no-such-step": "运行 '{run}' 没有名为 '{step}' 的步骤",
    "which-stream": "运行 '{run}' 有多个数据流而没有 mix，没有说明要哪一个",
    "uneven-column": "数据流 '{stream}' 的列 '{column}' 不能作为数据集的一列：{error}",
    "package-absent": "没有安装软件包 '{package}'",
}
