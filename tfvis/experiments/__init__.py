"""Experiments: what the apps do, one file each, callable with plain arguments and a workdir."""
