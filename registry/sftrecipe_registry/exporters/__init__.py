"""Exporters: data sets in the form of other tools."""
