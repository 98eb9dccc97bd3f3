"""English messages of runs that are named, and of what Python programs alone can do wrong."""

RUNS = {
    "no-run": "folder '{folder}' holds no run",
    "not-run-yet": "recipe '{recipe}' has not been run: nothing is in '{folder}'",
    "no-such-run": "run '{run}' does not exist",
    "python-value": "value is a Python {found}, expected a text, a number, true, false, nothing, a list or a mapping",
    "python-number": "number '{value}' is not one that JSON holds",
    "python-deep": "value is nested deeper than {limit} levels, or holds itself",
    "python-large": "recipe holds more than {limit} values",
    "no-such-stream": "run '{run}' has no stream '{stream}'",
    "no-such-step": "run '{run}' has no step '{step}'",
    "which-stream": "run '{run}' has several streams and no mix: which one is meant is not said",
    "uneven-column": "column '{column}' of stream '{stream}' cannot be one of a data set: {error}",
    "package-absent": "package '{package}' is not installed",
}
