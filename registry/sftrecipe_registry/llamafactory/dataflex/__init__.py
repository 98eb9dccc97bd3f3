"""DataFlex: LLaMA-Factory, whose training picks or weighs its rows while it goes."""
