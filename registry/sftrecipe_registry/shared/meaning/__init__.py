"""Whether two similar texts differ in a fact."""
