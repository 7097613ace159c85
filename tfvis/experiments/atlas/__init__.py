"""The atlas: every unit of a network, what it looks for and what it finds, to be browsed."""
