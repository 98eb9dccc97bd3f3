"""The filter `language`: rows in the wanted languages, answers in their questions' language."""
