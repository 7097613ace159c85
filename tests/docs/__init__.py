"""Tests of what docs/ holds."""
