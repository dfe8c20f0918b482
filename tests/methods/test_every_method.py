"""Every white-box method of the table equals a definition that knows nothing of the package."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Final

import pytest
from openvino import Model

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.anatomy.dense_assembly import UNTOLD
from ovxai_convert.errors import RefusedError
from ovxai_convert.insertion.request import Insertion, Request
from ovxai_convert.methods import WHITE_BOX_METHODS, Method
from ovxai_convert.vocabulary import Task
from tests import oracle
from tests.detectors import anchor_based, one_class
from tests.oracle import Floats, Port, assert_grey_levels_equal, assert_maps_equal
from tests.running import assert_originals_kept, definition, insert_branch, port_name, random_inputs, run
from tests.transformers import VitSpec, masked_places, transformer

SPEC: Final = VitSpec(batch=None)
NETWORKS: Final[Mapping[str, Callable[[], Model]]] = {
    "cnn": lambda: cnn(CnnSpec(batch=None)),
    "cnn_nhwc_batch_2": lambda: cnn(CnnSpec(batch=2, layout="NHWC")),
    "transformer": lambda: transformer(SPEC),
    "transformer_mean": lambda: transformer(VitSpec(head="mean")),
    "detector": lambda: anchor_based(None).model,
    "detector_one_class": lambda: one_class(2).model,
}
SCHEMA: Final = Path(__file__).resolve().parents[2] / "schemas" / "sidecar-v1.schema.json"


Settings = Mapping[str, str | int]


def _reciprocam(model: Model, insertion: Insertion, inputs: Mapping[str, Floats], _: Settings) -> Floats:
    return definition(model, insertion, inputs)


def _activation_map(model: Model, insertion: Insertion, inputs: Mapping[str, Floats], _: Settings) -> Floats:
    target = insertion.place.target
    rows, columns = target.grid
    grid = (rows, columns) if target.layout == "NTC" and rows and columns else None
    return oracle.activation_map(model, port_name(target.port), target.layout, inputs, grid)


def _vit_map(model: Model, insertion: Insertion, inputs: Mapping[str, Floats], settings: Settings) -> Floats:
    rows, columns = insertion.place.target.grid
    assert rows is not None
    assert columns is not None
    return oracle.vitreciprocam(
        model,
        masked_places(SPEC, int(settings["block"])),
        Port("scores"),
        inputs,
        (rows, columns),
        gaussian=settings["kernel"] == "gaussian",
        keep=settings["class_token"] == "keep",
    )


def _class_probability_map(
    model: Model, insertion: Insertion, inputs: Mapping[str, Floats], _: Settings
) -> Floats:
    like = anchor_based if insertion.place.scores.class_count > 1 else one_class
    return replace(like(None), model=model).maps(inputs)


DEFINITIONS: Final[Mapping[str, Callable[[Model, Insertion, Mapping[str, Floats], Settings], Floats]]] = {
    "reciprocam": _reciprocam,
    "vitreciprocam": _vit_map,
    "activationmap": _activation_map,
    "classprobabilitymap": _class_probability_map,
}
"""From the original, an insertion that says where to look, inputs and settings to raw maps as defined."""


def _forms() -> Iterator[tuple[Method, Settings, bool]]:
    """Every method with its defaults, in grey levels and raw, and raw with each other choice of an option."""
    for method in Method:
        if method.white_box is not None:
            yield method, {}, True
            yield method, {}, False
            for option in method.white_box.options:
                for choice in option.choices or (option.default, 2):
                    if choice != option.default:
                        yield method, {option.name: choice}, False


@pytest.mark.parametrize(("method", "given", "scaled"), list(_forms()), ids=str)
def test_map_is_as_defined(method: Method, given: Settings, scaled: bool) -> None:
    assert method.white_box is not None
    settings, possible = method.white_box.settings(given), list[str]()
    told = UNTOLD if method.white_box.task is Task.DETECTION else None
    for name, network in NETWORKS.items():
        model = network()
        try:
            request = Request(method, embed_scaling=scaled, options=given, detector=told)
            insertion = insert_branch(model, request)
        except RefusedError:
            continue
        possible.append(name)
        inputs = random_inputs(model)
        before, after = run(model, inputs), run(insertion.model, inputs)
        assert_originals_kept(model, insertion.model, before, after)
        compare = assert_grey_levels_equal if scaled else assert_maps_equal
        compare(after[-1], DEFINITIONS[method.value](model, insertion, inputs, settings))
    assert len(possible) >= 2, f"{method.value} was possible on {possible} alone"


def test_methods_are_told_apart() -> None:
    names = [method.name for method in WHITE_BOX_METHODS]
    assert len(set(names)) == len(names)
    assert set(DEFINITIONS) == set(names)
    options = [option.name for method in WHITE_BOX_METHODS for option in method.options]
    assert len(set(options)) == len(options), "the command line has one option of a name"


def test_the_schema_knows_every_method() -> None:
    schema = json.loads(SCHEMA.read_text(encoding="utf-8"))
    assert schema["properties"]["method"]["examples"] == [method.value for method in Method]
    black_boxes = [method.value for method in Method if method.is_black_box]
    by_mode = schema["allOf"][1]
    assert by_mode["else"]["properties"]["method"]["enum"] == black_boxes
    assert by_mode["then"]["properties"]["method"] == {"not": {"enum": black_boxes}}
