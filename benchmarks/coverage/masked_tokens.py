"""The definition of ViT-ReciproCAM taken literally: the whole network once per patch, its tokens masked.

Nothing of the package is imported. The sidecar names the tokens that a block projects; what its residual
carries past them is read from the graph here, by one rule: every other tensor of tokens that enters the part
of the network behind the named one is masked too, for those readers that stand behind it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import openvino as ov
from numpy.typing import NDArray
from openvino import opset15 as ops

_NO_DATA: Final = ("ShapeOf", "Constant")
_KERNEL: Final = np.array([[1, 2, 1], [2, 4, 2], [1, 2, 1]], np.float64) / 16

Floats = NDArray[np.float64]
Run = Callable[[list[Any], int], Floats]
"""From the inputs and a patch to the scores ``(N, K)``."""


class UnknownPatternError(Exception):
    """The graph holds something around the tokens that the rule does not cover."""


@dataclass(frozen=True)
class Tokens:
    """Where the sidecar says that tokens are masked.

    Attributes:
        port: the tokens ``[N, T, C]`` or ``[T, N, C]``.
        axis: that of the tokens.
        grid: rows and columns of the patches among them.
        gaussian: neighbours of a patch are kept in part.
        keep: tokens that are no patches are kept.
    """

    port: ov.Output
    axis: int
    grid: tuple[int, int]
    gaussian: bool = True
    keep: bool = True

    @property
    def patches(self) -> int:
        """How many patches there are."""
        return self.grid[0] * self.grid[1]

    @property
    def count(self) -> int:
        """How many tokens there are."""
        return int(self.port.get_partial_shape()[self.axis].get_length())


def masked_run(
    core: ov.Core, model: ov.Model, tokens: Tokens, scores: ov.Output, settings: dict[str, Any]
) -> Run:
    """The scores of the whole network with the tokens of one block masked around a patch.

    Raises:
        UnknownPatternError: something enters the block beside its tokens that is not tokens, or nothing tells
            which of the tokens are patches.
    """
    before = _auxiliary_before(tokens)
    behind = _behind(tokens.port, scores)
    full, patches = _mask_input(tokens), _mask_input(tokens)
    masks = {tokens.count: full, tokens.patches: patches}
    for port in [tokens.port, *_beside(tokens.port, behind, scores)]:
        extent = (
            port.get_partial_shape()[tokens.axis].get_length() if len(port.get_partial_shape()) == 3 else 0
        )
        users = [each for each in port.get_target_inputs() if each.get_node() in behind]
        if extent == tokens.count - tokens.patches and tokens.keep:
            continue
        if extent not in masks:
            raise UnknownPatternError(f"{port.get_partial_shape()} enters the block beside its tokens")
        product = ops.multiply(port, masks[extent])
        for user in users:
            user.replace_source_output(product.output(0))
    parameters = [*model.get_parameters(), full, patches]
    compiled = core.compile_model(ov.Model([ops.result(scores)], parameters), "CPU", settings)

    def run(feed: list[Any], patch: int) -> Floats:
        kept = _kept(tokens, patch)
        others = np.full(tokens.count - tokens.patches, float(tokens.keep))
        whole = np.concatenate([others[:before], kept, others[before:]])
        shape = [-1 if axis == tokens.axis else 1 for axis in range(3)]
        values = [each.reshape(shape).astype(np.float32) for each in (whole, kept)]
        return np.array(compiled([*feed, *values])[0], np.float64)

    return run


def _mask_input(tokens: Tokens) -> Any:
    shape = [-1 if axis == tokens.axis else 1 for axis in range(3)]
    return ops.parameter(shape, tokens.port.get_element_type())


def _kept(tokens: Tokens, patch: int) -> Floats:
    rows, columns = tokens.grid
    padded = np.zeros((rows + 2, columns + 2))
    row, column = divmod(patch, columns)
    if tokens.gaussian:
        padded[row : row + 3, column : column + 3] = _KERNEL
    else:
        padded[row + 1, column + 1] = 1
    return padded[1:-1, 1:-1].ravel()


def _data(node: ov.Node) -> Iterator[ov.Output]:
    """Inputs of a node but for constants and shapes."""
    if node.get_type_name() not in _NO_DATA:
        yield from (each for each in node.input_values() if each.get_node().get_type_name() not in _NO_DATA)


def _from_inputs(scores: ov.Output) -> set[ov.Node]:
    """Nodes before the scores whose values hang on the model's inputs."""
    found: set[ov.Node] = set()
    for node in _ordered(scores):
        if node.get_type_name() == "Parameter" or any(each.get_node() in found for each in _data(node)):
            found.add(node)
    return found


def _ordered(scores: ov.Output) -> list[ov.Node]:
    """Everything that the scores are computed from, inputs before users."""
    ordered: dict[ov.Node, None] = {}
    waiting = [(scores.get_node(), False)]
    while waiting:
        node, done = waiting.pop()
        if done:
            ordered[node] = None
        elif node not in ordered:
            waiting.append((node, True))
            waiting += [(each.get_node(), False) for each in node.input_values()]
    return list(ordered)


def _behind(tokens: ov.Output, scores: ov.Output) -> set[ov.Node]:
    """Nodes between the tokens and the scores."""
    found: set[ov.Node] = set()
    for node in _ordered(scores):
        if any(each == tokens or each.get_node() in found for each in _data(node)):
            found.add(node)
    return found


def _beside(tokens: ov.Output, behind: set[ov.Node], scores: ov.Output) -> list[ov.Output]:
    """Tensors that hang on the image and enter what lies behind the tokens from elsewhere."""
    hanging = _from_inputs(scores)
    entering = (each for node in behind for each in _data(node) if each.get_node() not in behind)
    return list({each: None for each in entering if each != tokens and each.get_node() in hanging})


def _auxiliary_before(tokens: Tokens) -> int:
    """How many tokens stand before the patches, from the Concat that has joined them."""
    if tokens.count == tokens.patches:
        return 0
    for node in reversed(_ordered(tokens.port)):
        if node.get_type_name() != "Concat" or len(node.output(0).get_partial_shape()) != 3:
            continue
        joined = node.get_attributes()["axis"] % 3
        extents = [each.get_partial_shape()[joined] for each in node.input_values()]
        lengths = [each.get_length() if each.is_static else -1 for each in extents]
        if sum(lengths) == tokens.count and lengths.count(tokens.patches) == 1:
            return sum(lengths[: lengths.index(tokens.patches)])
    raise UnknownPatternError("no Concat tells which of the tokens are patches")
