"""The one optimisation loop and its update rules."""
