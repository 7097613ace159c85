"""Tests of preimages."""
