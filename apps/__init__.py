"""One command, one job: `python -m apps.NAME --help`."""
