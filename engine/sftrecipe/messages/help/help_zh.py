"""The pages of `--help` in Chinese: commands by their names, options by their English text."""

COMMANDS = {
    "": "用 YAML 配方制作 SFT 数据：先检查，同样的调用不付两次钱，每一行都能说明来历。",
    "run": """\
制作配方的数据；配方里有 `evaluate` 时，也训练并评测模型。

已经做完的不再重做：中断之后再运行一次，就从停下的地方接着做。""",
    "validate": """\
检查配方：一次列出全部错误，不调用模型，不联网。

检查每个 profile；给出 --profile 时只检查这一个。""",
    "plan": """\
列出配方的各个步骤：已缓存的、需要重做的及其原因，调用次数、token 和费用。

不调用任何模型。所需的行已经存在时，会渲染提示词并计算其 token。运行会因预算被拒绝时，退出状态为 2。""",
    "preview": """\
每个 generate 和 filter 块各做几行，打印出来。

回复记入调用账本：以后运行时不再重复调用。不导出任何文件。""",
    "train": """\
制作配方的数据并用它训练；已经做完的不再重做。

`--check` 指出训练会因什么失败、受什么影响；数据尚未制作时，检查此时能检查的部分。训练会被拒绝时，退出状态为 1。\
再加 `--probe` 会实际训练五步，测出所需的时间和显存。""",
    "evaluate": """\
评测配方的模型；缺少的数据和训练会先补做。

有指标低于配方 `gate` 的要求时，退出状态为 1。""",
    "lock": """\
在配方旁写出 NAME.lock：版本、文件、模型、价格，以及数据的内容。

不调用模型，也不制作数据：数据以本项目中相同步骤最近一次完成的运行为准。请把它提交到 git：`lock --check` 在 CI 中\
指出偏离之处，`run --locked` 在偏离时拒绝运行。每个 profile 有自己的锁文件 NAME.PROFILE.lock。\
RECIPE 也可以是锁文件：指它的配方，使用加锁时的 profile 与变量。""",
    "diff": """\
指出两次运行、两个配方或两个锁文件之间的变化：选项、步骤、行、指标。

A 和 B 各是一次运行（`sftrecipe history` 的 id 或其开头、`last`、`last~1`、输出文件夹）、一个配方、一个锁文件，\
或某个 git 版本中的文件（`HEAD~1:recipes/medical.yaml`）。只给一个时与最近一次运行比较；都不给时比较最近两次运行。""",
    "sweep": """\
训练并评测配方 `sweep` 列出的每个变体，再加以比较。

各变体共用的部分只做一次；已经做完的不再重做。预算管整个 sweep。有变体失败或未达到 gate 时，退出状态为 1，\
其余变体照常进行。""",
    "model": """\
交付训练好的模型：转成 GGUF、换数值精度、写模型卡、上传到模型平台。

RECIPE 是训练它的配方、运行的文件夹，或 runs/ 下的名字。""",
    "model gguf": "写成一个 GGUF 文件，供 llama.cpp 和 `embedded` 使用。",
    "model merge": "把适配器并入，以另一种数值精度写出整个模型。",
    "model card": "写模型卡：基座模型、数据、设置、指标、许可证。",
    "model push": """\
连同模型卡上传到 Hugging Face 或 ModelScope。

不加 `--yes` 就不联网。令牌取自环境变量 HF_TOKEN 或 MODELSCOPE_API_TOKEN，没有时用平台自己的登录信息。""",
    "report": """\
写出一次运行的报告：单个 HTML 页面，不联网，也不依赖别的文件。

RUN 是运行的文件夹、它的配方，或 runs/ 下的名字。""",
    "explain": """\
从一行追溯到它的种子、提示词、回复、得分和模型。

WORDS 是一行的 id 或 id 的开头、这一行包含的文字，或者导出文件的一行（FILE:LINE）。符合的行有多条时，会列出来供选择。""",
    "history": """\
列出项目的各次运行，以及每次与前一次相比的变化。

RECIPE 是配方文件或配方的名字；不写则列出全部配方的运行。`sftrecipe diff` 接受这里的 id 或 id 的开头。""",
    "init": """\
新建项目：可直接运行的配方、配套的少量数据和数据集目录。

用 --from NAME 时，写入该预设的配方和文件，可随意修改；不写文件夹则用预设的名称。文件夹里已有的文件一概不动。""",
    "presets": "查找可供基于或新建项目的预设；可查看、从 git 获取、新建。",
    "presets show": "打印一个预设：用途、所需、费用、出处和它的文件。",
    "presets add": """\
从 git 获取预设，并打印固定到其提交的 `extends`。

分支或标签取其现在所指的提交。用 --as NAME 时，会写入基于它的文件 presets/NAME.yaml，项目里的配方就可以直接用这个名称。""",
    "presets new": "新建一个预设包，自带测试。",
    "ledger": "按服务、模型和日期打印调用次数、token 和费用。",
    "ledger show": "打印一次调用：请求、回复、token、费用。",
    "ledger repair": "账本损坏时，救出所有还能读的调用；损坏的文件保留在旁边。",
    "ledger verify": "检查账本文件是否完好。",
    "gc": """\
指出项目里哪些东西不再被任何配方的运行使用，并释放空间。

包括：配方改动后留下的模型、放弃的训练、已完成训练的检查点、步骤的结果。没有 `--yes`，也没有在终端上确认时，什么都不删。\
各配方最近一次运行用到的一律保留；账本里的回复是花钱买来的，也保留。行被释放之后，历史仍列出全部运行。""",
    "doctor": """\
检查配方能否在这里运行：服务、账本、文件夹、软件包、训练。

配方需要服务做到的每一件事，都向它发一次极小的调用来确认：不从账本取，也不记入账本。不给配方时，检查安装和当前文件夹的账本。""",
    "plugins": "列出已安装的插件；可查看一个，或新建一个。",
    "plugins show": "打印一个插件的选项、所需、出处论文和示例。",
    "plugins new": "写出一个插件包：能用的插件和它的测试。",
    "schema": """\
打印配方的 JSON Schema，或某个插件的（NAME，如 `filter.length`）。

它包含所有已安装的插件：让编辑器读取它即可。""",
    "env": "备好配方在 sftrecipe 自身的软件包之外所需的东西，一次备好，所有项目共用。",
    "env train": """\
建立训练用的环境，打印它的文件夹。

已经建好的不再重建；中途停下的重新建立。""",
    "env embedded": """\
用你的 uv 或 pip 取来打包好的模型权重，打印权重文件的位置。

运行第一次用到时会自己取来。已经取来的会核对 sha256，不一致时重新取。""",
    "completion": """\
打印让 shell 自动补全 sftrecipe 的脚本：命令、选项、配方、profile、插件、预设和运行的名字。

SHELL 是 bash、zsh 或 fish；不写则取环境变量 SHELL 所指的。补全不联网。""",
}
"""Each text: the first sentence, as lists show it; then what the page says more."""

OPTIONS = {
    "Print the versions of sftrecipe, Python and what it works with, and end.": (
        "打印 sftrecipe、Python 及相关软件的版本，然后退出。"
    ),
    "Show the traceback of an error.": "出错时显示 traceback。",
    "Show this message and exit.": "显示本帮助并退出。",
    "Show the version and exit.": "显示版本并退出。",
    "Show the versions and exit.": "显示版本并退出。",
    "One of the recipe's profiles.": "配方里的一个 profile。",
    "Set a variable.": "设置一个变量。",
    "Let the recipe read this folder outside its own.": "允许配方读取它自身文件夹之外的这个文件夹。",
    "Let the environment variable be sent to the host, now and later.": (
        "允许把这个环境变量发给该主机，这次和以后都允许。"
    ),
    "Let this recipe do what its errors name by this word, now and later.": (
        "允许这个配方做报错中用这个词指出的事，这次和以后都允许。"
    ),
    "Output folder; runs/NAME by default.": "输出文件夹；默认为 runs/NAME。",
    "Calls in flight, for every model.": "每个模型同时进行的调用数。",
    "Ask again for rows whose calls failed.": "对调用失败的行重新调用。",
    "Replace what another recipe, or nobody's run, left in the output folder.": (
        "替换输出文件夹中由别的配方留下或来历不明的内容。"
    ),
    "Hold the run to the recipe's lock: refuse what drifted, fail on other data.": (
        "按配方的锁文件运行：有偏离就拒绝，数据不同就失败。"
    ),
    "Print errors only.": "只打印错误。",
    "Print the outcome as JSON.": "以 JSON 打印结果。",
    "How far; by default until models are judged, where the recipe has `evaluate`, else until the "
    "data is made.": "做到哪一步；默认：配方有 `evaluate` 时做到模型评测完，否则做到数据完成。",
    "Print the facts as JSON.": "以 JSON 打印。",
    "Print facts as JSON.": "以 JSON 打印。",
    "Rows of each step.": "每一步的行数。",
    "Print the rows as JSON lines.": "以 JSON Lines 打印各行。",
    "No progress.": "不显示进度。",
    "Only check data and arguments; train nothing.": "只检查数据和参数，不训练。",
    "With --check: try a few steps, for time and memory.": "与 --check 同用：试训几步，测时间和显存。",
    "Tell what drifted (exit 2).": "指出偏离之处（退出状态 2）。",
    "Renew one entry and nothing else.": "只更新这一项，其余不动。",
    "The train block; the last one else.": "哪个 train 块；默认最后一个。",
    "f32, bf16, f16, q8_0 or q4_1: from the largest and most exact file to the smallest; q4_1 of a "
    "small model answers much worse.": (
        "f32、bf16、f16、q8_0 或 q4_1：从最大最精确到最小；小模型用 q4_1 回答会差很多。"
    ),
    "Where; beside the run's model by default.": "写到哪里；默认在运行的模型旁边。",
    "f32, bf16 or f16.": "f32、bf16 或 f16。",
    "The recipe's language by default.": "默认为配方的语言。",
    "huggingface:… or modelscope:…": "huggingface:… 或 modelscope:…",
    "The whole model, what was trained beside its base, or the GGUF.": (
        "整个模型、只有训练出的适配器，或 GGUF。"
    ),
    "Who sees a new repository; private by default.": "新仓库谁能看见；默认为私有。",
    "Send it. Left out: only tell what would be sent.": "真的上传。不加则只说明会上传什么。",
    "The page; report.html in the run's folder by default.": (
        "报告页面的位置；默认为运行文件夹中的 report.html。"
    ),
    "Print the page's facts as JSON.": "以 JSON 打印页面的内容。",
    "Output folder of the run; the latest under runs/ where it is left out.": (
        "运行的输出文件夹；默认为 runs/ 下最近的一次。"
    ),
    "Of data and comments; by default that of the folder's name, else yours.": (
        "数据和注释的语言；默认随文件夹名字的语言，否则随你的语言。"
    ),
    "Whom a profile of the recipe asks: deepseek, glm, kimi, openai …; qwen by default.": (
        "配方的一个 profile 调用哪家：deepseek、glm、kimi、openai …；默认 qwen。"
    ),
    "The project's folder.": "项目的文件夹。",
    "Keep the rows of the last N runs of each recipe, for `diff`; by default of the last one.": (
        "保留每个配方最近 N 次运行的行，供 `diff` 使用；默认只保留最近一次。"
    ),
    "Rows of each kind and stream that are shown.": "每个流的每类变化各展示多少行。",
    "Print a comment for a pull request.": "打印成 pull request 的评论。",
    "Write a page to this file.": "写成页面，存到这个文件。",
    "Of the comment or page.": "评论或页面的语言。",
    "Exit with 1 where anything differs.": "有任何不同时以状态 1 退出。",
    "Keep what is younger.": "保留比这更新的，以天计。",
    "Keep so many models of each training beside the one that is used, the newest.": (
        "除正在使用的之外，每个训练再保留这么多个最新的模型。"
    ),
    "Free it without being asked.": "不询问，直接释放。",
    "Ask no provider.": "不调用任何服务。",
    "Seconds that a provider may take to answer.": "等待服务回答的最长秒数。",
    "Only this kind: provider, source, generator …": "只看这一类：provider、source、generator …",
    "Where several kinds have the name.": "几类插件同名时，指明是哪一类。",
    "A preset to start from: sftrecipe presets.": "以哪个预设为起点：见 sftrecipe presets。",
    "Only presets that have these words.": "只列出含有这些词的预设。",
    "Also as preset NAME of this project.": "同时作为本项目的预设 NAME。",
    "Folder to write; sftrecipe-NAME where it is left out.": "写到哪个文件夹；默认 sftrecipe-NAME。",
    "Write the schema beside the recipes of a folder (here), with the names that they give.": (
        "在文件夹（默认当前文件夹）的配方旁写出 schema，其中含有这些配方所起的名字。"
    ),
    "Write the schemas of sftrecipe and its own plugins, one file each (into schemas/).": (
        "写出 sftrecipe 和自带插件的 schema，每个一个文件（写到 schemas/）。"
    ),
    "For a machine without a GPU: a tenth of the size.": "用于没有 GPU 的机器：只有十分之一大。",
    "Its folder; the user's own data folder by default, where it is found by itself.": (
        "它的文件夹；默认在用户的数据文件夹里，会被自动找到。"
    ),
    "The trainer.": "用哪个训练器。",
    "Which one.": "哪一个。",
}

CLICK = {
    "Usage:": "用法：",
    "Options": "选项",
    "Commands": "命令",
    "Positional arguments": "参数",
    "Error: {message}": "错误：{message}",
    "Aborted!": "已中止。",
    "Try '{command} {option}' for help.": "用 '{command} {option}' 查看帮助。",
    "Missing command.": "缺少命令。",
    "Missing argument": "缺少参数",
    "Missing option": "缺少选项",
    "Missing parameter": "缺少参数",
    "Missing parameter: {param_name}": "缺少参数：{param_name}",
    "Missing {param_type}": "缺少{param_type}",
    "No such option {name!r}.": "没有选项 {name!r}。",
    "No such option: {name}": "没有选项 {name}",
    "No such command {name!r}.": "没有命令 {name!r}。",
    "Did you mean {possibility}?": "是不是 {possibility}？",
    "Did you mean {possibility}": "是不是 {possibility}",
    "(Did you mean one of: {possibilities}?)": "（是不是其中之一：{possibilities}？）",
    "(Possible options: {possibilities})": "（可能是：{possibilities}）",
    "Invalid value: {message}": "值无效：{message}",
    "Invalid value for {param_hint}: {message}": "{param_hint} 的值无效：{message}",
    "Could not open file {filename!r}: {message}": "无法打开文件 {filename!r}：{message}",
    "unknown error": "未知错误",
    "Got unexpected extra argument ({args})": "多出了参数（{args}）",
    "Got unexpected extra arguments ({args})": "多出了参数（{args}）",
    "Takes {nargs} values but 1 was given.": "需要 {nargs} 个值，只给了 1 个。",
    "Takes {nargs} values but {len} were given.": "需要 {nargs} 个值，给了 {len} 个。",
    "{len_type} values are required, but {len_value} was given.": (
        "需要 {len_type} 个值，给了 {len_value} 个。"
    ),
    "{len_type} values are required, but {len_value} were given.": (
        "需要 {len_type} 个值，给了 {len_value} 个。"
    ),
    "Option {name!r} does not take a value.": "选项 {name!r} 不带值。",
    "Option {name!r} requires an argument.": "选项 {name!r} 需要一个值。",
    "Option {name!r} requires {nargs} arguments.": "选项 {name!r} 需要 {nargs} 个值。",
    "Argument {name!r} takes {nargs} values.": "参数 {name!r} 需要 {nargs} 个值。",
    "Choose from:\n\t{choices}": "可选：\n\t{choices}",
    "{value!r} is not {choice}.": "{value!r} 不是 {choice}。",
    "{value!r} is not one of {choices}.": "{value!r} 不在 {choices} 之中。",
    "{value} is not in the range {range}.": "{value} 不在范围 {range} 之内。",
    "{value!r} is not a valid {number_type}.": "{value!r} 不是有效的 {number_type}。",
    "{value!r} is not a valid boolean. Recognized values: {states}": (
        "{value!r} 不是布尔值，可用：{states}"
    ),
    "{value!r} is not a valid boolean.": "{value!r} 不是布尔值。",
    "{name} {filename!r} is a file.": "{name} {filename!r} 是文件。",
    "{name} {filename!r} is a directory.": "{name} {filename!r} 是文件夹。",
    "{name} {filename!r} is not readable.": "{name} {filename!r} 不可读。",
    "{name} {filename!r} is not writable.": "{name} {filename!r} 不可写。",
    "{name} {filename!r} is not executable.": "{name} {filename!r} 不可执行。",
    "{name} {filename!r} does not exist.": "{name} {filename!r} 不存在。",
    "file": "文件",
    "File": "文件",
    "directory": "文件夹",
    "Directory": "文件夹",
    "path": "路径",
    "Path": "路径",
    "default: {default}": "默认：{default}",
    "(dynamic)": "（运行时确定）",
    "required": "必填",
    "env var: {var}": "环境变量：{var}",
    "%(prog)s, version %(version)s": "%(prog)s，版本 %(version)s",
    "Show this message and exit.": "显示本帮助并退出。",
    "Show the version and exit.": "显示版本并退出。",
}
"""Words of the library that reads the command line, by its English ones."""
