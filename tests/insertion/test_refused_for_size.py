"""A branch that is too big is refused with the layers at which it is not, and what it needs there."""

from __future__ import annotations

import re
from typing import Any, Final
from unittest.mock import patch

import pytest
from openvino import Model

from fixtures.networks import CnnSpec, cnn
from ovxai_convert.anatomy.anatomy import Anatomy
from ovxai_convert.errors import RefusedError, TooBig
from ovxai_convert.insertion import insert
from ovxai_convert.insertion.request import Insertion, Place, Request
from ovxai_convert.methods import Method, reciprocam
from ovxai_convert.mosaic.cost import readable
from tests.running import insert_branch

NAMED: Final = re.compile(r"at '(\S+)' (\[[\d,]+\]) it needs ([\d.]+ \w+)")


def _model() -> Model:
    """Four maps, each of a quarter of the cells of the one before it."""
    return cnn(CnnSpec(strides=(1, 2, 2, 2), height=16, width=24))


def _request(max_bytes: int) -> Request:
    return Request(Method.RECIPROCAM, "block0", max_branch_bytes=max_bytes, embed_scaling=False)


def _refusal(max_bytes: int) -> TooBig:
    with pytest.raises(RefusedError) as caught:
        insert_branch(_model(), _request(max_bytes))
    (refusal,) = caught.value.refusals
    assert isinstance(refusal, TooBig)
    return refusal


def _inserted(layer: str) -> Insertion:
    return insert_branch(_model(), Request(Method.RECIPROCAM, layer, embed_scaling=False))


def _needed(layer: str) -> int:
    return _inserted(layer).cost.peak_bytes


@pytest.fixture
def tries() -> Any:
    """Counts the branches that are built."""
    with patch.object(insert, "build_branch", wraps=insert.build_branch) as counted:
        yield counted


def test_every_named_layer_fits_and_needs_what_is_said() -> None:
    limit = _needed("block1")
    named = NAMED.findall(_refusal(limit).reason)
    assert [shape for _, shape, _ in named] == ["[1,4,2,3]", "[1,4,4,6]", "[1,4,8,12]"]
    assert [name for name, _, _ in named] == ["target", "block2", "block1"]
    for name, shape, needed in named:
        found = _inserted(name)
        assert found.cost.peak_bytes <= limit
        assert needed == readable(found.cost.peak_bytes)
        assert shape == str(found.place.target.port.get_partial_shape())


@pytest.mark.parametrize("fitting", ["target", "block2", "block1"])
def test_layers_that_do_not_fit_are_not_named(fitting: str) -> None:
    order = ["target", "block2", "block1"]
    named = NAMED.findall(_refusal(_needed(fitting)).reason)
    assert [name for name, _, _ in named] == order[: order.index(fitting) + 1]


@pytest.mark.parametrize("price", ["while it is built", "when it is built"])
def test_both_ways_to_be_too_big_have_advice(price: str) -> None:
    """One copy too many is seen at once; all that an op reads and writes together, at the end."""
    limit = _needed("block0") - 1 if price == "when it is built" else _needed("target")
    reason = _refusal(limit).reason
    assert ("all copies at" in reason) == (price == "while it is built")
    assert "; a higher --max-branch-memory may do, or another --target-layer: at 'target' [1,4,2,3]" in reason


def test_none_fits() -> None:
    assert _refusal(10).reason.endswith("may do; of 4 other layers tried none fits")


def test_no_other_layer() -> None:
    with (
        patch.object(insert, "_other_targets", return_value=[]),
        pytest.raises(RefusedError, match="may do; there is no other layer to take"),
    ):
        insert_branch(_model(), Request(Method.RECIPROCAM, max_branch_bytes=10))


def test_what_is_not_refused_is_built_once(tries: Any) -> None:
    insert_branch(_model(), Request(Method.RECIPROCAM))
    assert tries.call_count == 1


def test_the_search_ends_with_the_third_layer(tries: Any) -> None:
    _refusal(_needed("block1"))
    assert tries.call_count == 1 + 1 + 3  # `_needed`, what is refused, what is named


def test_the_search_is_bounded(tries: Any) -> None:
    with patch.object(insert, "_TRIED", 2):
        assert _refusal(10).reason.endswith("of 2 other layers tried none fits")
    assert tries.call_count == 1 + 2


def test_no_search_where_nobody_will_read_of_it(tries: Any) -> None:
    """A place is priced, or its branch tied to the model in another way."""
    anatomy = Anatomy(_model())
    place = insert.find_place(anatomy, reciprocam.METHOD, _request(10))
    assert isinstance(place, Place)
    refusal = insert.build_branch(anatomy, place, _request(10))
    assert isinstance(refusal, TooBig)
    assert "--target-layer" not in refusal.reason
    assert tries.call_count == 1
