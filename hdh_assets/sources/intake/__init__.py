"""The intake that serves every dataset: from a sealed delivery in the inbox to committed lake tables and a receipt."""
