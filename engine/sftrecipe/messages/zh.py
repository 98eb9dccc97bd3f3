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
    "file-outside": "文件名 '{name}' 指向输出文件夹 '{folder}' 之外",
    "file-write": "文件 '{path}' 无法写入：{error}",
    "disk-full": "磁盘已满，文件 '{path}' 无法完整写入：{error}",
    "folder-read-only": "文件夹 '{folder}' 不可写：{error}",
    "catalogue-broken": "数据集目录 '{path}' 无法读取，已原样保留：{error}",
    "catalogue-taken": "数据集目录 '{path}' 中的 '{name}' 指向其他数据",
    "catalogue-duplicate": "数据集 '{name}' 被导出了两次",
}

HINTS = {
    "did-you-mean": "是否想写 '{suggestion}'？",
    "plugins-list": "用 sftrecipe plugins 查看全部插件",
    "plugin-kinds": "可用的类型：{kinds}",
    "plugin-name-example": "例如 '{suggestion}'",
    "other-name": "请换一个名字",
    "other-folder": "请用 --to 指定另一个文件夹",
    "plugin-package": "请更新或卸载软件包 {package}",
    "catalogue-repair": "请修复该文件或将其移走",
    "catalogue-other-name": "请给导出换一个 `name`，或删除该条目",
    "catalogue-name": "请给其中一个导出换一个 `name`",
}
