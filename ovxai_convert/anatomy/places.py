"""Where in a model all samples, rows or columns of a tensor stand alone on an axis."""

from __future__ import annotations

from openvino import Output

from ovxai_convert.tensors.axes import Atom, Axes
from ovxai_convert.tensors.ports import extents

AxisPlace = tuple[Output, int]
"""A tensor and one of its axes."""


def places_of(meaning: Axes) -> dict[str, AxisPlace]:
    """By role a tensor and its axis that hold all samples, rows or columns of a tensor and nothing else.

    Samples only where they are alone on their axis here, too: several crops of each are no samples.
    """
    atoms = [atom for axis in meaning for atom in axis if atom.role != "N" or len(axis) == 1]
    roles_met = [atom.role for atom in atoms]
    return {
        atom.role: atom.origin
        for atom in atoms
        if atom.origin and roles_met.count(atom.role) == 1 and _is_all_of(atom, *atom.origin)
    }


def _is_all_of(atom: Atom, port: Output, axis: int) -> bool:
    return atom.step == 1 and (extents(port) or ())[axis] == atom.extent
