"""Flags that several apps share, turned into plain values."""
