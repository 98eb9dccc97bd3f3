"""Texts of rows: words, sentences, scripts, likeness."""
