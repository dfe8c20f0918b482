"""Give a deployed OpenVINO classifier the power to explain itself."""

from __future__ import annotations

from ovxai_convert.insertion import insert_xai
from ovxai_convert.vocabulary import Method, Task

__all__ = ["Method", "Task", "insert_xai"]
