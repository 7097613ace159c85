"""Tests of networks/preprocessing."""
