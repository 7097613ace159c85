"""The word a browser is known by."""

# Not by a script: a cookie of HTTP alone.
COOKIE = "tfvis_studio"


def token_of(request) -> str:
    """Returns the token a request brings, "" where it brings none that could be one."""
    word = request.cookies.get(COOKIE) or ""
    return word if 40 <= len(word) <= 64 and word.isascii() else ""
