"""Caffe's networks: their files read, their layers exactly as Caffe computes them."""
