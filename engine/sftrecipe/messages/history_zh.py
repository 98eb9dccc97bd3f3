"""历史、`diff` 以及命令所指运行的中文消息。"""

HISTORY = {
    "gc-runs-gone": "之前 {count} 次运行的数据行会随之消失（{ids}）：`sftrecipe history` 仍会列出它们；"
    "--keep N 保留每个配方最近 N 次运行的数据行",
    "history-no-recipe": "没有保存配方 '{recipe}' 的任何运行",
    "diff-unknown": "'{word}' 不是项目 '{folder}' 的运行，也不是配方、锁文件或 git 版本中的文件",
    "diff-too-far": "'{word}' 超出了 '{folder}' 的历史：该配方只有 {count} 次运行",
    "diff-several": "'{word}' 可以指多次运行：{ids}",
    "git-unasked": "无法调用 git：{error}",
    "git-revision-absent": "'{folder}' 中没有版本 '{revision}'",
    "git-no-file": "提交 {commit} 中没有文件 '{path}'",
    "git-large": "提交 {commit} 的文件 '{path}' 太大，无法读取",
    "git-many": "配方指到了提交 {commit} 中的过多文件",
    "history-none": "{folder} 中还没有保存任何运行；其他项目的运行：sftrecipe history RECIPE，RECIPE 写配方的路径",
    "history-damaged": "历史中有 {count} 条记录无法读取，此处略去（例如 {folder} 中的 '{first}'）",
    "history-note": "* 数据行已不在存储中",
    "history-first": "首次运行",
    "history-same": "配方没有变化",
    "history-more": "另有 {count} 处",
    "history-moved": "{name} 移动了位置",
    "history-versions": "版本",
    "history-profile": "profile 改为 {name}",
}
