"""Examples for the pages of `--help`: by command, lines that can be typed, and what they do."""

EXAMPLES: dict[str, tuple[tuple[str, str, str], ...]] = {
    "": (
        ("sftrecipe init medical", "start a project", "新建项目"),
        ("sftrecipe plan medical/recipe.yaml", "what a run would do", "看看运行会做什么"),
        ("sftrecipe run medical/recipe.yaml", "make the data", "制作数据"),
    ),
    "run": (
        (
            "sftrecipe run recipe.yaml",
            "make the data, or go on after a stop",
            "制作数据，或中断后继续",
        ),
        (
            "sftrecipe run recipe.yaml --profile ernie --to data",
            "with the recipe's other models; no training",
            "改用配方里的另一组模型；不训练",
        ),
        (
            "sftrecipe run recipe.yaml --retry-failed --concurrency 16",
            "ask again for rows whose calls failed",
            "重试调用失败的行",
        ),
    ),
    "validate": (
        (
            "sftrecipe validate recipes/*.yaml",
            "all recipes, all their profiles",
            "全部配方和 profile",
        ),
        ("sftrecipe validate recipe.yaml --json", "for an editor or CI", "供编辑器或 CI 使用"),
    ),
    "plan": (
        ("sftrecipe plan recipe.yaml", "what a run would do and cost", "运行会做什么、花多少"),
        ("sftrecipe plan recipe.yaml --profile openai", "with other models", "换一组模型"),
        ("sftrecipe plan recipe.yaml --json", "complete, for programs", "完整内容，供程序读取"),
    ),
    "preview": (
        ("sftrecipe preview recipe.yaml", "three rows of each step", "每步三行"),
        (
            "sftrecipe preview recipe.yaml -n 1 --set topic=law",
            "one row, a variable set",
            "一行，设一个变量",
        ),
    ),
    "train": (
        ("sftrecipe train recipe.yaml --check", "what would fail, before it does", "训练前先检查"),
        (
            "sftrecipe train recipe.yaml --check --probe",
            "time and memory, measured",
            "实测时间和显存",
        ),
        ("sftrecipe train recipe.yaml", "make the data, then train", "制作数据并训练"),
    ),
    "evaluate": (
        ("sftrecipe evaluate recipe.yaml", "data, training, judging", "数据、训练、评测"),
        ("sftrecipe evaluate recipe.yaml -q && echo passed", "a gate in CI", "在 CI 中把关"),
    ),
    "lock": (
        ("sftrecipe lock recipe.yaml", "write recipe.lock", "写出 recipe.lock"),
        ("sftrecipe lock recipe.yaml --check", "in CI: what drifted?", "在 CI 中：有什么偏离？"),
        (
            "sftrecipe lock recipe.yaml --update rows.jsonl",
            "renew one entry: a file",
            "只更新一项：某个文件",
        ),
    ),
    "diff": (
        (
            "sftrecipe diff HEAD~1:recipe.yaml recipe.yaml",
            "against the last commit",
            "与上一次提交比较",
        ),
        ("sftrecipe diff last~1 last", "the last two runs", "最近两次运行"),
        ("sftrecipe diff recipe.yaml --markdown", "for a pull request", "供 pull request 使用"),
    ),
    "sweep": (
        ("sftrecipe plan recipe.yaml", "what all variants will cost", "各变体一共花多少"),
        ("sftrecipe sweep recipe.yaml", "train and compare them", "训练并比较"),
    ),
    "model": (
        ("sftrecipe model gguf recipe.yaml", "one file for llama.cpp", "供 llama.cpp 用的单个文件"),
        ("sftrecipe model card recipe.yaml", "its card", "模型卡"),
    ),
    "model gguf": (
        ("sftrecipe model gguf recipe.yaml", "8-bit, beside the model", "8 位，写在模型旁"),
        ("sftrecipe model gguf recipe.yaml --numbers f16 --to tuned.gguf", "16-bit", "16 位"),
    ),
    "model merge": (
        ("sftrecipe model merge recipe.yaml --numbers bf16", "beside the model", "写在模型旁"),
        ("sftrecipe model merge recipe.yaml --numbers f16 --to merged", "elsewhere", "写到别处"),
    ),
    "model card": (
        ("sftrecipe model card recipe.yaml", "in the recipe's language", "用配方的语言"),
        ("sftrecipe model card recipe.yaml --lang zh --to README.md", "in Chinese", "用中文"),
    ),
    "model push": (
        (
            "sftrecipe model push recipe.yaml --to modelscope:me/medical",
            "tell what would be sent",
            "只说明会上传什么",
        ),
        (
            "sftrecipe model push recipe.yaml --to huggingface:me/medical --what adapter --yes",
            "send the adapter",
            "上传适配器",
        ),
    ),
    "report": (
        ("sftrecipe report recipe.yaml", "write the page, print its place", "写出页面并打印位置"),
        (
            "sftrecipe report medical --lang zh --out medical.html",
            "of runs/medical",
            "runs/medical 的",
        ),
    ),
    "explain": (
        ("sftrecipe explain 头痛三天", "rows that hold these words", "包含这些文字的行"),
        ("sftrecipe explain 4f1c9a", "a row, by the beginning of its id", "按 id 的开头"),
        (
            "sftrecipe explain runs/medical/medical.json:12",
            "the row on line 12 of an exported file",
            "导出文件第 12 行",
        ),
    ),
    "history": (
        ("sftrecipe history", "all runs of this project", "本项目的全部运行"),
        ("sftrecipe history recipe.yaml --json", "those of a recipe", "某个配方的"),
    ),
    "init": (
        ("sftrecipe init medical", "in English", "英文项目"),
        (
            "sftrecipe init 医疗问答 --provider deepseek",
            "in Chinese, for DeepSeek",
            "中文项目，用 DeepSeek",
        ),
        ("sftrecipe init --from zh-medical clinic", "from a preset", "从预设开始"),
    ),
    "presets": (
        ("sftrecipe presets", "all presets", "全部预设"),
        ("sftrecipe presets --search medical", "those with this word", "含有这个词的预设"),
        ("sftrecipe presets show zh-medical", "one of them", "看其中一个"),
    ),
    "presets show": (
        ("sftrecipe presets show zh-medical", "by its name", "按名称"),
        ("sftrecipe presets show zh-medical --json", "as facts", "输出 JSON"),
    ),
    "presets add": (
        (
            "sftrecipe presets add git+https://example.org/OWNER/REPO@main#presets/zh-legal",
            "of a branch, pinned to its commit",
            "取自分支，并固定到提交",
        ),
        (
            "sftrecipe presets add git+ssh://git@example.org/OWNER/REPO --as zh-legal",
            "with a name in this project",
            "在本项目中另取名称",
        ),
    ),
    "presets new": (
        ("sftrecipe presets new zh-legal", "in sftrecipe-zh-legal", "写到 sftrecipe-zh-legal"),
        ("sftrecipe presets new zh-legal --to legal", "in another folder", "写到别的文件夹"),
    ),
    "ledger": (
        ("sftrecipe ledger", "what was asked and spent here", "在这里问了什么、花了多少"),
        (
            "sftrecipe ledger show 3fa9",
            "a call, by the beginning of its key",
            "按键的开头看一次调用",
        ),
        ("sftrecipe ledger --project medical verify", "is the file sound?", "文件是否完好？"),
    ),
    "ledger show": (
        ("sftrecipe ledger show 3fa9", "by the beginning of its key", "按键的开头"),
        ("sftrecipe ledger --json show 3fa9", "with the request as JSON", "连同 JSON 形式的请求"),
    ),
    "ledger repair": (
        ("sftrecipe ledger repair", "in the project's folder", "在项目文件夹里"),
        ("sftrecipe ledger --project medical repair", "from elsewhere", "在别处"),
    ),
    "ledger verify": (
        ("sftrecipe ledger verify", "in the project's folder", "在项目文件夹里"),
        ("sftrecipe ledger --project medical verify", "from elsewhere", "在别处"),
    ),
    "gc": (
        ("sftrecipe gc", "what could be freed; asks before it does", "能释放什么；动手前会询问"),
        ("sftrecipe gc --keep-days 30 --yes", "all that is older than a month", "一个月以前的全部"),
    ),
    "doctor": (
        ("sftrecipe doctor recipe.yaml", "is everything ready?", "是否万事俱备？"),
        ("sftrecipe doctor recipe.yaml --offline", "without a call", "不发调用"),
        ("sftrecipe doctor", "the installation alone", "只检查安装"),
    ),
    "plugins": (
        ("sftrecipe plugins --kind filter", "all filters", "全部过滤器"),
        ("sftrecipe plugins show length", "options and an example", "选项和示例"),
    ),
    "plugins show": (
        ("sftrecipe plugins show length", "options and an example", "选项和示例"),
        ("sftrecipe plugins show llamafactory --kind exporter", "of one kind", "某一类的"),
    ),
    "plugins new": (
        ("sftrecipe plugins new filter polite", "into sftrecipe-polite", "写到 sftrecipe-polite"),
        ("sftrecipe plugins new judge tone --to tone", "into a folder of yours", "写到指定文件夹"),
    ),
    "schema": (
        ("sftrecipe schema filter.length", "one plugin's options", "一个插件的选项"),
        (
            "sftrecipe schema --project",
            "for an editor, beside the recipes",
            "供编辑器使用，写在配方旁边",
        ),
    ),
    "env": (
        ("sftrecipe env train", "for training with LLaMA-Factory", "供 LLaMA-Factory 训练"),
        ("sftrecipe env train --cpu", "without a GPU", "没有 GPU 时"),
    ),
    "env train": (
        ("sftrecipe env train", "where it is found by itself", "建在会被自动找到的地方"),
        (
            "sftrecipe env train --cpu --path ~/envs/train",
            "small, in a folder of yours",
            "精简，建在指定文件夹",
        ),
    ),
    "env embedded": (
        ("sftrecipe env embedded", "the model of every demo", "各演示所用的模型"),
        ("sftrecipe env embedded --quiet", "errors only", "只打印错误"),
    ),
    "completion": (
        ('eval "$(sftrecipe completion bash)"', "a line for ~/.bashrc", "写进 ~/.bashrc 的一行"),
        ('eval "$(sftrecipe completion zsh)"', "a line for ~/.zshrc", "写进 ~/.zshrc 的一行"),
        (
            "sftrecipe completion fish | source",
            "for ~/.config/fish/config.fish",
            "写进 config.fish",
        ),
    ),
}
"""By the command's words; each with an English and a Chinese remark."""
