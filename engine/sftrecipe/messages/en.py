"""English messages (lower case, subject first, value quoted, no full stop) and hints, by slug."""

MESSAGES = {
    "plugin-import": "{kind} '{name}' of package {package} cannot be imported: {error}",
    "plugin-class": "{kind} '{name}' of package {package} is not a {base}",
    "plugin-duplicate": "{kind} '{name}' is declared by two packages: {first} and {second}",
    "no-such-plugin": "{kind} '{name}' does not exist",
    "no-such-kind": "plugin kind '{kind}' does not exist",
    "plugin-name": "plugin name '{name}' is not lower-case letters, digits and underscores",
    "plugin-name-taken": "{kind} '{name}' exists already, in package {package}",
    "folder-not-empty": "folder '{folder}' is not empty",
}

HINTS = {
    "did-you-mean": "did you mean '{suggestion}'?",
    "plugins-list": "see them with: sftrecipe plugins",
    "plugin-kinds": "the kinds are {kinds}",
    "plugin-name-example": "for example '{suggestion}'",
    "other-name": "choose another name",
    "other-folder": "name another folder with --to",
    "plugin-package": "update or uninstall the package {package}",
}
