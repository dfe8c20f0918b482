"""Tests of ``ovxai-explain`` over data sets."""
