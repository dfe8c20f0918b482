"""A detector's scores of classes as one more output, for one whose outputs cannot be read as boxes."""

from __future__ import annotations

from typing import Final

from openvino import Model
from openvino import opset15 as ops

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.interface import free_name
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.insert import insert_branch
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.tensors.extents import ints

_NAME: Final = "class_scores"


def with_class_scores(model: Model, told: Told) -> Model | tuple[Refusal, ...]:
    """A copy with the output ``[N, K]`` at its end: of each class the highest score at any place.

    Or why its scores are not found; errors as of :func:`~ovxai_convert.insertion.insert.insert_branch`.
    """
    name = free_name(model, _NAME)
    inserted = insert_branch(Anatomy(model), Request(embed_scaling=False, output_name=name, detector=told))
    if not isinstance(inserted, Insertion):
        return inserted
    copy = inserted.model
    result = copy.outputs[inserted.map_index].get_node()
    maps = result.input_value(0)
    maps.get_tensor().set_names(set())
    highest = ops.reduce_max(maps, ints([2, 3]), keep_dims=False).output(0)
    highest.get_tensor().set_names({name})
    result.input(0).replace_source_output(highest)
    copy.validate_nodes_and_infer_types()
    return copy
