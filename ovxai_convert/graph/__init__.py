"""Questions about an OpenVINO model's graph, and the one change we make to it (an added output)."""
