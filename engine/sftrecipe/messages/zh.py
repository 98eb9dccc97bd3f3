"""Chinese messages and hints, by slug."""

MESSAGES = {
    "plugin-import": "软件包 {package} 的 {kind} 插件 '{name}' 无法导入：{error}",
    "plugin-class": "软件包 {package} 的 {kind} 插件 '{name}' 不是 {base} 的子类",
    "plugin-duplicate": "{kind} 插件 '{name}' 被两个软件包重复声明：{first} 和 {second}",
    "no-such-plugin": "{kind} 插件 '{name}' 不存在",
    "no-such-kind": "插件类型 '{kind}' 不存在",
    "plugin-name": "插件名 '{name}' 只能包含小写字母、数字和下划线",
    "plugin-name-taken": "{kind} 插件 '{name}' 已存在于软件包 {package}",
    "folder-not-empty": "文件夹 '{folder}' 不是空的",
}

HINTS = {
    "did-you-mean": "是否想写 '{suggestion}'？",
    "plugins-list": "用 sftrecipe plugins 查看全部插件",
    "plugin-kinds": "可用的类型：{kinds}",
    "plugin-name-example": "例如 '{suggestion}'",
    "other-name": "请换一个名字",
    "other-folder": "请用 --to 指定另一个文件夹",
    "plugin-package": "请更新或卸载软件包 {package}",
}
