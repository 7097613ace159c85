"""Tests of networks/files."""
