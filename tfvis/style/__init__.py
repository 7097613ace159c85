"""Neural style: what a picture is asked to match, and the controls over it."""
