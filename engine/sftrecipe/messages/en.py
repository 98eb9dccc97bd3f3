"""English messages (lower case, subject first, value quoted, no full stop) and hints, by slug."""

MESSAGES = {
    "plugin-import": "{kind} '{name}' of package {package} cannot be imported: {error}",
    "plugin-class": "{kind} '{name}' of package {package} is not a {base}",
    "plugin-duplicate": "{kind} '{name}' is declared by two packages: {first} and {second}",
}

HINTS = {
    "plugin-package": "update or uninstall the package {package}",
}
