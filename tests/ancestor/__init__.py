"""Tests of the names that come from openvino-xai 1.1.0."""
