"""Where a network looks: what its units answer to, and which pixels they answer for."""
