"""Caffe's layers in Keras: a small function per type of layer, and the graph they make."""
