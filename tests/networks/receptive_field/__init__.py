"""Tests of networks/receptive_field."""
