"""Texts on rows that are looked for, in Chinese."""

ROWS = {
    "no-such-row": "这次运行里没有行以 '{row}' 为 id 或包含它（查找了 {steps} 的 {count} 行）",
    "no-exported-row": "'{file}' 的第 {line} 行不是导出的数据行",
    "found-rows": "有 {count} 行包含 '{row}'；选一行查看：sftrecipe explain {id}",
    "found-rows-more": "至少有 {count} 行包含 '{row}'；请写得更长一些，或选一行查看：sftrecipe explain {id}",
    "several-rows": "有多行含有 '{row}'：{ids}",
}
