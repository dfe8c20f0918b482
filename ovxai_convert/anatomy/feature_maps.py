"""Finding feature maps: places on the way to the scores where cells can be masked, and the last of them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import Enum
from typing import Final

from openvino import Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy, asked_once
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.interface import describe_inputs
from ovxai_convert.anatomy.places import places_of
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import Target, grid_of, layout_of
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has
from ovxai_convert.tensors.axes import Axes, roles
from ovxai_convert.tensors.ports import address, find_port

_ONE_OF_SEVERAL: Final = "the last feature map of one of several paths to the scores"


class Standing(Enum):
    """What a place on the way to the scores is to a search for the last feature map."""

    MAP = "a feature map"
    FLATTENED = "passed over: a flattened map"
    MOVED = "passed over: it only moves numbers"
    POOLED = "passed over: a pooling that is not global"
    LINE = "passed over: rows or columns alone"
    VECTOR = "one vector per image"
    UNKNOWN = "its axes are not understood"
    NO_GRID = "its positions are no grid of rows and columns"


@dataclass(frozen=True)
class Candidate:
    """A place on the way from the input to the scores through which all data passes, or a target elsewhere.

    ``note`` says why it is no target, or what speaks for it; it is empty for an ordinary candidate.
    """

    port: Output
    standing: Standing
    target: Target | None
    note: str = ""


@asked_once
def feature_maps(anatomy: Anatomy, scores: Scores) -> list[Candidate]:
    """All narrow places that hold more than one position, the nearest to the scores first.

    Where none of them is a map, the last maps of the paths that meet behind them.
    """
    narrow = [place for place in _places(anatomy, scores) if place.standing is not Standing.VECTOR]
    if any(place.target for place in narrow):
        return narrow
    return [*narrow, *(replace(place, note=_ONE_OF_SEVERAL) for place in _last_maps(anatomy, scores))]


@asked_once
def _places(anatomy: Anatomy, scores: Scores) -> list[Candidate]:
    """All narrow places behind some weights, the nearest to the scores first."""
    places = (_candidate(anatomy, port) for port in anatomy.image_flow.narrow_places(scores.port))
    return [place for place in places if place is not None]


def _candidate(anatomy: Anatomy, port: Output) -> Candidate | None:
    """What a tensor is to the search; None where it says nothing: a form of the image, or a bare list."""
    meaning = anatomy.axes.get(port)
    if meaning is None or not anatomy.image_flow.is_learned(port):
        return None
    target = _target(port, meaning)
    standing = _standing(anatomy.image_flow, port, meaning, is_map=target is not None)
    if standing is None:
        return None
    if standing in (Standing.UNKNOWN, Standing.NO_GRID):
        return Candidate(port, standing, target, _why_no_map(port, meaning))
    return Candidate(port, standing, target, "" if standing is Standing.MAP else standing.value)


def _target(port: Output, meaning: Axes) -> Target | None:
    layout, grid = layout_of(meaning), grid_of(meaning)
    return Target(port, layout, grid, places=places_of(meaning)) if layout and grid else None


def find_feature_map(anatomy: Anatomy, scores: Scores, wanted: str | None = None) -> Target | Refusal:
    """The last feature map before the scores, or the tensor that the user names.

    A pooling that leaves more than one cell, with or without ops behind it that treat its values one by one,
    is passed over to the map it pools (VGG: 14x14, not 7x7). So are maps flattened into one vector, and ops
    that only move numbers to other axes; but where what they move has no layout of its own (windows of an
    attention), the map is what they make of it: the same numbers in the same cells. The walk begins behind
    the pooled vector, whatever the head makes of that. It ends where axes are not understood, or positions
    stand in a form that is no grid (tokens with a class token among them): what lies behind is not the
    last map.

    Raises:
        UsageError: ``wanted`` names no tensor.
    """
    if wanted is not None:
        return _named(anatomy, scores, find_port(anatomy.model, wanted))
    moved: Target | None = None
    for place in _behind_the_vector(_places(anatomy, scores)):
        if place.standing is Standing.MAP:
            assert place.target is not None, "a map is a target"
            return place.target
        if place.standing in (Standing.UNKNOWN, Standing.NO_GRID):
            reason = f"no feature map before the scores: {place.note}"
            return moved or Refusal(reason, address(place.port))
        moved = moved or place.target if place.standing is Standing.MOVED else None
    return _no_narrow_map(anatomy, scores)


def _behind_the_vector(places: list[Candidate]) -> list[Candidate]:
    """Places behind the last vector per image before the first map: all nearer ones are forms of it."""
    ends = (Standing.MAP, Standing.NO_GRID)
    end = next((index for index, place in enumerate(places) if place.standing in ends), len(places))
    vectors = [index for index in range(end) if places[index].standing is Standing.VECTOR]
    return places[vectors[-1] + 1 :] if vectors else places


def _no_narrow_map(anatomy: Anatomy, scores: Scores) -> Refusal:
    """Why no map is one that all data passes through, and which maps there are beside each other."""
    last = ", ".join(f"'{address(place.port)}'" for place in _last_maps(anatomy, scores)[:3])
    if not last:
        return Refusal("no feature map: no tensor with rows and columns leads to the scores")
    what, where = "that all of the scores come from", "several paths meet"
    if len(anatomy.images) > 1:
        what, where = f"of all inputs ({describe_inputs(anatomy.model)})", "the inputs meet only"
    reason = f"no feature map {what}: {where} behind their last feature maps"
    return Refusal(f"{reason}; name one with --target-layer: {last}")


def _last_maps(anatomy: Anatomy, scores: Scores) -> list[Candidate]:
    """The feature maps from which the scores are computed without another one in between."""
    flow = anatomy.image_flow
    waiting, met, last = [scores.port], {scores.port}, list[Candidate]()
    while waiting:
        port = waiting.pop(0)
        place = _candidate(anatomy, port)
        if place is not None and place.standing is Standing.MAP:
            last.append(place)
        else:
            sources = [source for source in flow.data_inputs(port.get_node()) if source not in met]
            met.update(sources)
            waiting += sources
    return last


def _named(anatomy: Anatomy, scores: Scores, port: Output) -> Target | Refusal:
    where, flow = address(port), anatomy.image_flow
    if not flow.depends_on_input(port):
        return Refusal("the target layer does not depend on the model's input", where)
    if not flow.between(port, scores.port):
        return Refusal("the target layer does not lead to the scores", where)
    meaning = anatomy.axes.get(port, ())
    target = _target(port, meaning)
    if target is None:
        return Refusal(f"the target layer is no feature map: {_why_no_map(port, meaning)}", where)
    return replace(target, selected_by="user")


def _standing(flow: DataFlow, port: Output, meaning: Axes, *, is_map: bool) -> Standing | None:
    axes = [set(roles(axis)) for axis in meaning]
    positions = any({"H", "W", "D"} & axis for axis in axes)
    unknown = len(meaning) >= 3 and any("?" in axis for axis in axes[1:])
    moves = has(port.get_node(), Trait.MOVE, Trait.COPY)
    if not positions and not unknown:
        clear = axes[:1] in ([set()], [{"N"}]) and not any("?" in axis for axis in axes)
        return Standing.VECTOR if clear else None
    if not is_map and (any({"C", "H", "W"} <= axis for axis in axes) or axes[2:] == [{"H", "W"}]):
        return Standing.FLATTENED
    if not is_map and not unknown and not _is_grid(axes):
        return Standing.LINE
    if not is_map and not (moves and not any("?" in axis for axis in axes)):
        return Standing.NO_GRID if _is_grid(axes) else Standing.UNKNOWN
    if moves:
        return Standing.MOVED
    return Standing.POOLED if _pools(flow, port.get_node()) else Standing.MAP


def _is_grid(axes: list[set[str]]) -> bool:
    return {"H", "W"} <= set().union(*axes)


def _pools(flow: DataFlow, node: Node) -> bool:
    """Whether a map is the output of a pooling, or of ops that treat its values one by one behind it."""
    while not has(node, Trait.POOLING):
        data = flow.data_inputs(node)
        if len(data) != 1 or not has(node, Trait.ELEMENTWISE, Trait.NORMALISATION, Trait.ROUNDING):
            return False
        node = data[0].get_node()
    return True


def _why_no_map(port: Output, meaning: Axes) -> str:
    described = ", ".join("*".join(roles(axis)) or "1" for axis in meaning)
    return f"{port.get_partial_shape()} has axes ({described}), not N, C, H, W or N, H, W, C or N, H*W, C"
