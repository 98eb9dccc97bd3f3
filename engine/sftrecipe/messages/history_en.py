"""English messages of the history, of `diff`, and of runs that a command names."""

HISTORY = {
    "gc-runs-gone": "earlier runs whose rows go with it: {count} ({ids}); `sftrecipe history` still lists them, "
    "--keep N keeps those of the last N runs of each recipe",
    "history-no-recipe": "no run of recipe '{recipe}' is kept",
    "diff-unknown": "'{word}' is no run of the project '{folder}', no recipe, lock or file of a git revision",
    "diff-too-far": "'{word}' goes further back than the history of '{folder}'; runs of the recipe there: {count}",
    "diff-several": "'{word}' may be several runs: {ids}",
    "git-unasked": "git cannot be asked: {error}",
    "git-revision-absent": "revision '{revision}' does not exist in '{folder}'",
    "git-no-file": "commit {commit} has no file '{path}'",
    "git-large": "file '{path}' of commit {commit} is too large to be read",
    "git-many": "the recipe names too many files of commit {commit}",
    "history-none": "no run is kept yet in {folder}; another project's: sftrecipe history RECIPE, with its recipe's path",
    "history-damaged": "entries of the history that cannot be read, left out here: {count} ('{first}' in {folder})",
    "history-note": "* the rows are not stored any more",
    "history-first": "first run",
    "history-same": "nothing in the recipe",
    "history-more": "{count} more",
    "history-moved": "{name} moved",
    "history-versions": "versions",
    "history-profile": "profile {name}",
}
