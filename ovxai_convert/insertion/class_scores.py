"""A detector's scores of classes as one more output, for one whose outputs cannot be read as boxes."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from openvino import Model
from openvino import opset15 as ops

from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.anatomy.dense_assembly import Told
from ovxai_convert.anatomy.interface import free_name
from ovxai_convert.errors import Refusal
from ovxai_convert.insertion.insert import build_branches, insert_branch
from ovxai_convert.insertion.request import Branch, Insertion, Request
from ovxai_convert.methods.method import ALL_CLASSES
from ovxai_convert.tensors.extents import ints

_NAME: Final = "class_scores"


def with_class_scores(model: Model, told: Told) -> Model | tuple[Refusal, ...]:
    """A copy with the output ``[N, K]`` at its end: of each class the highest score at any place.

    Or why its scores are not found; errors as of :func:`~ovxai_convert.insertion.insert.insert_branch`.
    """
    request = Request(embed_scaling=False, output_name=free_name(model, _NAME), detector=told)
    inserted = insert_branch(Anatomy(model), request)
    return _highest(inserted) if isinstance(inserted, Insertion) else inserted


def scores_beside(anatomy: Anatomy, insertion: Insertion, name: str) -> Model | Refusal:
    """The same output, which is called so, beside a branch that was inserted in a model."""
    request = replace(
        insertion.request,
        embed_scaling=False,
        selection=ALL_CLASSES,
        output_name=name,
        feature_vector=False,
    )
    branches = [Branch(insertion.place, insertion.request), Branch(insertion.place, request)]
    both = build_branches(anatomy, branches)
    return both if isinstance(both, Refusal) else _highest(both[-1])


def _highest(insertion: Insertion) -> Model:
    """The model of a branch with raw maps, of which an output has become the highest of each."""
    model, name = insertion.model, insertion.request.output_name
    result = model.outputs[insertion.map_index].get_node()
    maps = result.input_value(0)
    maps.get_tensor().set_names(set())
    highest = ops.reduce_max(maps, ints([2, 3]), keep_dims=False).output(0)
    highest.get_tensor().set_names({name})
    result.input(0).replace_source_output(highest)
    model.validate_nodes_and_infer_types()
    return model
