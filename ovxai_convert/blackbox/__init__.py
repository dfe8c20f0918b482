"""Black-box explanation: what a model's scores say when parts of its input are covered.

Nothing here knows a device. Perturbed inputs go out as a stream of batches and scores come back as a stream,
so that whoever runs the model decides how many requests are under way (``streaming.ScoreStream``).
"""

from __future__ import annotations

from ovxai_convert.blackbox.aise import Aise
from ovxai_convert.blackbox.drise import DRise
from ovxai_convert.blackbox.method import Preset
from ovxai_convert.blackbox.rise import Rise
from ovxai_convert.blackbox.streaming import Batches, BlackboxMaps, Progress, ScoreStream

__all__ = ["Aise", "Batches", "BlackboxMaps", "DRise", "Preset", "Progress", "Rise", "ScoreStream"]
