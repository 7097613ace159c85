"""Image files: which are read, what is wrong with the others, and their pixels as seen.

`tfvis.images.read` is the door; what lies behind it stands here, one question a file.
"""
