<<<<<<< HEAD
"""Exporters: data sets in the form of other tools."""
=======
"""Exporters: data sets as files."""
>>>>>>> heads/methods
