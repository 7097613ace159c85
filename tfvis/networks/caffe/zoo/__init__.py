"""The Caffe networks known by name, as tables of their layers."""
