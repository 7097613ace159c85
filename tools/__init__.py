"""How files that come along were made; nothing of the package needs it."""
