"""A page for people without a terminal, without the page: what it keeps, paints and looks at."""
