"""English messages of gates and of what spoils a judging."""

GATES = {
    "gate-missed": "gate missed: {missed}",
    "gate-told": "{metric} is {figure}, asked {bounds}",
    "gate-told-interval": "{metric} is {figure}, asked of the whole interval {bounds}",
    "gate-told-alone": "{metric} is {figure}, asked of the figure alone {bounds}",
    "gate-told-limit": "{metric} is {figure}, surely above {limit}: {meaning}",
    "gate-told-within": "{metric} is {figure}, not surely above {limit}",
    "gate-told-unfound": "{metric} is not found, asked {bounds}",
    "gate-of-step": "{step}: {told}",
    "gate-figure": "{value} ({low} to {high})",
    "limit-position-bias": "the order in which the answers were shown decided, not the answers",
    "limit-invalid-share": "too many rows could not be judged, and those that could may be other ones",
    "limit-other": "the judging is spoiled",
    "limit-advice-position-bias": "the judge prefers a place: take another judge or another prompt, or write how much "
    "is allowed, gate: {{position_bias: {{at_most: …}}}}",
    "limit-advice-invalid-share": "the report tells why rows could not be judged; mend that (of judges that do not "
    "keep to the form: structured: true), or write how much is allowed, gate: {{invalid_share: {{at_most: …}}}}",
    "limit-advice-other": "write how much is allowed, gate: {{{metric}: {{at_most: …}}}}",
    "gate-advice-rows": "rows: hold out or name more rows (on), see why others could not be judged, or ask for fewer",
    "gate-advice-unfound": "{metric}: no row had it; see in the report why",
    "gate-advice-short": "{metric}: the figure itself misses the bound: train otherwise (other or more rows, "
    "longer), or ask for less",
    "gate-advice-same": "{metric}: the figure lies at the bound, where more rows do not help: train otherwise, ask for "
    "less, or hold the figure alone, {{{bounds}, by: point}}",
    "gate-advice-wide": "{metric}: the figure keeps the bound, its interval over {now} rows does not: about {rows} rows "
    "would do if it stays as it is; or train otherwise, ask for less, or hold the figure alone, {{{bounds}, by: point}}",
    "gate-both": "{least} and {most}",
    "outcome-gate-passed": "gate passed: {told}",
    "outcome-above-limit": "warning: {told}",
    "outcome-unmeasured": "{metric} is not measured",
    "outcome-unmeasured-bias": "position bias is not measured: no question was judged in both orders",
}
