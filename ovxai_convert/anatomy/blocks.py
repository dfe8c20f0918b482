"""Finding transformer blocks: the tokens that a block projects, and those that its residual carries past.

A block is recognised by what it does: a product of values with weights out of a softmax, contracted over the
tokens of an image, all of them or a coarser grid of theirs. Everything that the attention mixes passes
through one tensor, the tokens that are projected to queries, keys and values: behind the block's first norm
where it has one there (pre-norm), the block's input where it has not (post-norm). Data that enter the rest of
the network beside that tensor are the residual: the block's input, or, in class attention (CaiT), the class
token alone.
"""

from __future__ import annotations

from dataclasses import replace

from openvino import Node, Output

from ovxai_convert.anatomy.anatomy import Anatomy, asked_once
from ovxai_convert.anatomy.flow import DataFlow
from ovxai_convert.anatomy.places import places_of
from ovxai_convert.anatomy.scores import Scores
from ovxai_convert.anatomy.target import MapLayout, Target
from ovxai_convert.anatomy.tokens import Tokens, TokenTensor, tokens_of
from ovxai_convert.errors import Refusal
from ovxai_convert.ops import Trait, has, values_of
from ovxai_convert.tensors.axes import Axes
from ovxai_convert.tensors.ports import address, find_port, rank


@asked_once
def blocks(anatomy: Anatomy, scores: Scores) -> list[Target | Refusal]:
    """The tokens of every transformer block, the last first, or why none can be masked there."""
    flow, meanings = anatomy.image_flow, anatomy.axes
    tokens = (_entrance(flow, meanings, attention) for attention in _attentions(flow, scores.port))
    entrances = dict.fromkeys(entrance for entrance in tokens if entrance and _of_images(entrance, scores))
    return [_target(flow, meanings, scores, *entrance) for entrance in enumerate(entrances, start=1)]


def find_block(
    anatomy: Anatomy, scores: Scores, wanted: str | None = None, number: int = 1
) -> Target | Refusal:
    """The tokens of the transformer block that projects or carries past the tensor ``wanted``.

    None takes block ``number``, counted from the scores (1 is the last).

    Raises:
        UsageError: ``wanted`` names no tensor.
    """
    there = blocks(anatomy, scores)
    if wanted is not None:
        named = find_port(anatomy.model, wanted)
        for block in there:
            if isinstance(block, Target) and named in block.masked:
                return replace(block, selected_by="user")
        return Refusal("the target layer is not what a transformer block reads", address(named))
    if not there:
        return Refusal("no attention over the tokens of an image leads to the scores")
    if number > len(there):
        return Refusal(f"there are {len(there)} transformer blocks, no block {number} from the end")
    return there[number - 1]


def _of_images(entrance: TokenTensor, scores: Scores) -> bool:
    """Whether there is one sequence per image, not one per window or per patch."""
    sequences = entrance.port.get_partial_shape()[1 - entrance.tokens.axis]
    images = scores.port.get_partial_shape()[0]
    return bool(sequences.is_dynamic or images.is_dynamic or sequences == images)


def _attentions(flow: DataFlow, sink: Output) -> list[Node]:
    """Ops that mix by weights from a softmax, on the way to ``sink``, the last first."""
    reached = {sink.get_node()}
    for node in reversed(flow.nodes):
        if node in reached:
            reached.update(port.get_node() for port in flow.data_inputs(node))
    mixing = (node for node in reversed(flow.nodes) if node in reached)
    return [node for node in mixing if has(node, Trait.ATTENTION) or _weighs_values(flow, node)]


def _weighs_values(flow: DataFlow, node: Node) -> bool:
    """Whether an op is a product of two tensors of which the left one comes out of a softmax."""
    if not has(node, Trait.PRODUCT) or len(flow.data_inputs(node)) != 2:
        return False
    for place in flow.narrow_places(node.input_value(0)):
        source = place.get_node()
        if has(source, Trait.SOFTMAX):
            return True
        mixes = has(source, Trait.PRODUCT) and len(flow.data_inputs(source)) > 1
        # talking heads and guards against NaN may stand between the softmax and the values
        if mixes or not has(source, Trait.ELEMENTWISE, Trait.MOVE, Trait.PRODUCT):
            break
    return False


def _entrance(flow: DataFlow, meanings: dict[Output, Axes], attention: Node) -> TokenTensor | None:
    """The tokens that all of an attention is computed from, before they are projected."""
    weighed = values_of(attention)
    if weighed is None:
        return None
    values, axis = weighed
    entrance: TokenTensor | None = None
    for place in flow.narrow_places(attention.output(0)):
        tokens = _sequence(place, meanings)
        if entrance is not None:
            if not has(entrance.port.get_node(), Trait.MOVE) or tokens is None:
                break
            entrance = TokenTensor(place, tokens)
        elif tokens is not None and _projected(flow, place, values):
            if not _sums_over(values, axis, tokens, meanings):
                return None
            entrance = TokenTensor(place, tokens)
    return entrance


def _sequence(port: Output, meanings: dict[Output, Axes]) -> Tokens | None:
    """Tokens of a tensor ``[N, T, C]`` or ``[T, N, C]``, None of any other."""
    tokens = tokens_of(meanings.get(port, ()))
    return tokens if tokens is not None and rank(port) == 3 and tokens.axis < 2 else None


def _sums_over(values: Output, axis: int, tokens: Tokens, meanings: dict[Output, Axes]) -> bool:
    """Whether values lie along tokens: those of the sequence, or those of a coarser grid of it."""
    extent = values.get_partial_shape()[axis]
    if extent.is_dynamic or extent.get_length() == tokens.count:
        return True
    meaning = meanings.get(values)
    coarser = tokens_of((meaning[axis],)) if meaning else None
    return coarser is not None and (coarser.before, coarser.after) == (tokens.before, tokens.after)


def _projected(flow: DataFlow, place: Output, values: Output) -> bool:
    """Whether values are computed from tokens by weights; a depthwise convolution pools and does not."""
    return any(
        (has(node, Trait.CONVOLUTION) and not has(node, Trait.GROUPED))
        or (has(node, Trait.PRODUCT) and len(flow.data_inputs(node)) == 1)
        for node in flow.between(place, values)
    )


def _target(
    flow: DataFlow, meanings: dict[Output, Axes], scores: Scores, number: int, entrance: TokenTensor
) -> Target | Refusal:
    """The tokens with all that enters the rest of the network beside them."""
    head = dict.fromkeys(flow.between(entrance.port, scores.port))
    entering = dict.fromkeys(port for node in head for port in flow.data_inputs(node))
    beside: list[TokenTensor] = []
    for port in entering:
        if port == entrance.port or port.get_node() in head:
            continue
        tokens = _sequence(port, meanings) or _auxiliary(port, entrance.tokens)
        shape = port.get_partial_shape()
        if tokens is None:
            return Refusal(f"{shape} enters the transformer block beside its tokens", address(port))
        if tokens.grid not in (None, entrance.tokens.grid):
            return Refusal(f"{shape} has patches of another grid than the transformer block", address(port))
        beside.append(TokenTensor(port, tokens))
    grid = entrance.tokens.grid
    assert grid is not None, "an entrance holds patches"
    layout: MapLayout = "NTC" if entrance.tokens.axis == 1 else "TNC"
    places = places_of(meanings[entrance.port])
    return Target(entrance.port, layout, grid, sequences=(entrance, *beside), block=number, places=places)


def _auxiliary(port: Output, tokens: Tokens) -> Tokens | None:
    """The auxiliary tokens alone, where a tensor has as many rows as there are of them."""
    shape = port.get_partial_shape()
    alone = Tokens(tokens.axis, tokens.before + tokens.after, None)
    return alone if len(shape) == 3 and shape[tokens.axis] == alone.count else None
