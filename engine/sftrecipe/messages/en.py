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
    "file-outside": "file name '{name}' leads out of the output folder '{folder}'",
    "file-write": "file '{path}' cannot be written: {error}",
    "disk-full": "file '{path}' cannot be written whole, the disk is full: {error}",
    "folder-read-only": "folder '{folder}' cannot be written: {error}",
    "catalogue-broken": "catalogue '{path}' cannot be read and was left as it is: {error}",
    "catalogue-taken": "data set '{name}' of catalogue '{path}' points to other data",
    "catalogue-duplicate": "data set '{name}' is exported twice",
}

HINTS = {
    "did-you-mean": "did you mean '{suggestion}'?",
    "plugins-list": "see them with: sftrecipe plugins",
    "plugin-kinds": "the kinds are {kinds}",
    "plugin-name-example": "for example '{suggestion}'",
    "other-name": "choose another name",
    "other-folder": "name another folder with --to",
    "plugin-package": "update or uninstall the package {package}",
    "catalogue-repair": "repair it or move it away",
    "catalogue-other-name": "give the export another `name`, or remove that entry",
    "catalogue-name": "give one of the exports another `name`",
}
