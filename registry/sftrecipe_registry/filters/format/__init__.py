"""The filter `format`: what is wrong with an answer by its form alone."""
