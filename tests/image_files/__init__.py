"""Tests of image_files."""
