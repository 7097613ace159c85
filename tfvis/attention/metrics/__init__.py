"""How right maps of attention are: arrays and functions in, numbers out."""
