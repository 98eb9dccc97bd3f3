<<<<<<< HEAD
"""Generators that belong to no published method."""
=======
"""Generators: rows written by a model, or made of others."""
>>>>>>> heads/methods
