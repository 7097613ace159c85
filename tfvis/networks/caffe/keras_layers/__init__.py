"""Keras layers that compute what Caffe's do where Keras has none."""
