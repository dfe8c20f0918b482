"""A tensor and its axes: addresses, constant values, extents, what its axes hold, ops created again."""
