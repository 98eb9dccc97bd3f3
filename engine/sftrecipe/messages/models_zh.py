"""训练好的模型的中文消息：导出、合并与上传。"""

MODELS = {
    "trainer-only-writes": "训练器 '{trainer}' 只写出配置",
    "trainer-no-environment": "训练器 '{trainer}' 不需要单独的环境",
    "trainer-no-copies": "训练器 '{trainer}' 不支持导出模型",
    "no-model-trained": "'{folder}' 中的运行没有训练模型",
    "model-of-earlier-recipe": "注意：'{recipe}' 不是这次运行的配方，或在运行之后有改动；所用的是这次运行的模型：{model}",
    "model-gone": "'{model}' 中已没有该模型",
    "model-refused": "{error}",
    "copy-in-the-way": "'{path}' 已存在",
    "no-hub-place": "'{place}' 不是 huggingface:所有者/名称 或 modelscope:所有者/名称",
    "model-pushed": "已上传：{address}",
    "publication-head": "上传到 {address} 的仓库 {repository}：{files} 个文件，{bytes} 字节",
    "publication-private": "新建的仓库不公开（公开请加 --public）",
    "publication-public": "新建的仓库公开，任何人都能读取",
    "publication-token": "使用 {token} 中的令牌",
    "publication-login": "未设置 {token}，使用本机上该平台自己的登录信息",
    "publication-not-sent": "尚未上传：在同一命令后加 --yes 才会上传",
    "model-not-loaded": "无法加载模型 '{model}'：{error}",
}
