"""Data sets on Ray: the same rows as on one machine, by workers on as many as there are."""

from ovxai_convert.on_ray.explaining import explain_dataset

__all__ = ["explain_dataset"]
