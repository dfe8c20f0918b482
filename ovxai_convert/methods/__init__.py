"""The white-box methods, in the order in which ``auto`` tries them."""

from __future__ import annotations

from ovxai_convert.methods import activationmap, reciprocam, vitreciprocam
from ovxai_convert.methods.method import Branch

BRANCHES: tuple[Branch, ...] = (reciprocam.BRANCH, vitreciprocam.BRANCH, activationmap.BRANCH)

if len({branch.method for branch in BRANCHES}) != len(BRANCHES):
    raise ValueError("two branches claim the same method")

__all__ = ["BRANCHES", "Branch"]
