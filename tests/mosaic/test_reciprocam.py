"""Recipro-CAM equals its definition at every cell of every map, on drawn and on named networks."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fixtures.networks import ACTIVATIONS, HEADS, CnnSpec, cnn
from tests.running import check_reciprocam, random_inputs


@st.composite
def specs(draw: st.DrawFn) -> CnnSpec:
    """Classifiers of all heads and layouts, with maps of 3 to 8 rows and columns."""
    head = draw(st.sampled_from(HEADS))
    return CnnSpec(
        seed=draw(st.integers(0, 2**16)),
        batch=draw(st.sampled_from([None, 1, 2, 3])),
        channels=draw(st.integers(3, 9)),
        strides=draw(st.sampled_from([(1,), (2,), (2, 1), (1, 2), (1, 2, 1)])),
        height=draw(st.integers(6, 7)),
        width=draw(st.sampled_from([5, 8])),
        dynamic_size=head != "flatten" and draw(st.booleans()),
        residual=draw(st.booleans()),
        activation=draw(st.sampled_from(sorted(ACTIVATIONS))),
        head=head,
        layout=draw(st.sampled_from(["NCHW", "NHWC"])),
        ending=draw(st.sampled_from(["none", "softmax", "sigmoid"])),
        classes=draw(st.integers(2, 5)),
    )


@given(spec=specs(), earlier=st.booleans())
def test_map_is_the_definition(spec: CnnSpec, earlier: bool) -> None:
    model = cnn(spec)
    layer = "block0" if earlier and len(spec.strides) > 1 else None
    inputs = random_inputs(model, spec.seed, size=(spec.height, spec.width))
    insertion = check_reciprocam(model, layer, inputs)
    assert insertion.place.target.port.get_node().get_friendly_name() == (layer or "target")
    assert insertion.place.scores.port.get_node().get_friendly_name() == "scores"
