"""How alike two networks are: in what they represent, unit by unit, and in what they decide.

Arrays in, numbers out; what is undefined is nan, never 0.
"""
