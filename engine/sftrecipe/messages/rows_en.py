"""Texts on rows that are looked for."""

ROWS = {
    "no-such-row": "no row of this run is called or holds '{row}' (searched: {count} rows of {steps})",
    "no-exported-row": "line {line} of '{file}' holds no exported row",
    "found-rows": "{count} rows hold '{row}'; explain one: sftrecipe explain {id}",
    "found-rows-more": "{count} rows or more hold '{row}'; name more of it, or explain one: sftrecipe explain {id}",
    "several-rows": "several rows hold '{row}': {ids}",
}
