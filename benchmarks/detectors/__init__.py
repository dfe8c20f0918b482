"""Object detectors with random weights, as files that OpenVINO reads."""
