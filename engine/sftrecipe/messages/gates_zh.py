"""Chinese messages of gates and of what spoils a judging."""

GATES = {
    "gate-missed": "未达到门槛：{missed}",
    "gate-told": "{metric} 为 {figure}，要求{bounds}",
    "gate-told-interval": "{metric} 为 {figure}，要求整个置信区间{bounds}",
    "gate-told-alone": "{metric} 为 {figure}，只看指标本身，要求{bounds}",
    "gate-told-limit": "{metric} 为 {figure}，确实超过 {limit}：{meaning}",
    "gate-told-within": "{metric} 为 {figure}，不能断定超过 {limit}",
    "gate-told-unfound": "没有 {metric}，要求{bounds}",
    "gate-of-step": "{step}：{told}",
    "gate-figure": "{value}（{low} 到 {high}）",
    "limit-position-bias": "起决定作用的是回答的先后顺序，而不是回答本身",
    "limit-invalid-share": "无法评测的行太多，余下的行可能不再有代表性",
    "limit-other": "这次评测不可信",
    "limit-advice-position-bias": "评测模型偏爱某个位置：请换评测模型或提示词，或写明允许的比例，gate: {{position_bias: {{at_most: …}}}}",
    "limit-advice-invalid-share": "报告里有各行无法评测的原因，请先解决（评测模型不守格式时可写 structured: true），"
    "或写明允许的比例，gate: {{invalid_share: {{at_most: …}}}}",
    "limit-advice-other": "请写明允许的数值，gate: {{{metric}: {{at_most: …}}}}",
    "gate-advice-rows": "rows：请留出更多行，或在 on 中写明更多数据；也可查看其余行为何无法评测，或降低要求",
    "gate-advice-unfound": "{metric}：没有任何一行得出该指标，原因见报告",
    "gate-advice-short": "{metric}：指标本身就没有达到，请改进训练（换数据、加数据或延长训练），或降低要求",
    "gate-advice-same": "{metric}：指标就落在界限上，增加行数也无济于事；请改进训练，降低要求，"
    "或只看指标本身：{{{bounds}, by: point}}",
    "gate-advice-wide": "{metric}：指标本身达标，但 {now} 行得出的区间没有；若指标不变，大约需要 {rows} 行；"
    "也可改进训练，降低要求，或只看指标本身：{{{bounds}, by: point}}",
    "gate-both": "{least}且{most}",
    "outcome-gate-passed": "达到门槛：{told}",
    "outcome-above-limit": "警告：{told}",
    "outcome-unmeasured": "没有测得 {metric}",
    "outcome-unmeasured-bias": "没有测得位置偏好：没有问题按两种顺序都评过",
}
