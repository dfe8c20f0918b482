"""How much time an explanation may take, in one word."""

from __future__ import annotations

from enum import Enum


class Preset(Enum):
    """What the parameters of a method are that are not given one by one.

    SPEED: a coarse map, soon.
    BALANCE: the middle.
    QUALITY: a fine map, late.
    """

    SPEED = "speed"
    BALANCE = "balance"
    QUALITY = "quality"
