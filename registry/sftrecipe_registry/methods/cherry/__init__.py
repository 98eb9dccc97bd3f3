"""Cherry LLM: rows chosen by how hard their instruction is to follow."""
