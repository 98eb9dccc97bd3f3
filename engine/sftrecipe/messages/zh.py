"""Chinese messages and hints, by slug."""

MESSAGES = {
    "plugin-import": "软件包 {package} 的 {kind} 插件 '{name}' 无法导入：{error}",
    "plugin-class": "软件包 {package} 的 {kind} 插件 '{name}' 不是 {base} 的子类",
    "plugin-duplicate": "{kind} 插件 '{name}' 被两个软件包重复声明：{first} 和 {second}",
}

HINTS = {
    "plugin-package": "请更新或卸载软件包 {package}",
}
