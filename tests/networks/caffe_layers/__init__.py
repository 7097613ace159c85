"""Tests of networks/caffe."""
