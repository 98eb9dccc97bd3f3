"""Exporters: data sets as files."""
