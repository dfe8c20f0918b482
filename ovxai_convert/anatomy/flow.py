"""Which tensors depend on which: the data flow from the model's inputs to a tensor, and its narrow places.

A tensor's *shape* is not its data: an edge through ShapeOf carries no data, so that a Reshape whose pattern
is computed from another tensor's shape does not depend on that tensor.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from openvino import Model, Node, Output

from ovxai_convert.ops import Trait, has


class DataFlow:
    """The data edges of a model: those whose values change with the values of its inputs, or of some of them.

    ``inputs`` are the parameters whose values count (None: all), ``nodes`` the model's in order, if they are
    at hand; ``position`` is the index of every node among them.
    """

    def __init__(
        self, model: Model, inputs: Collection[Node] | None = None, nodes: Sequence[Node] | None = None
    ) -> None:
        self._number(model.get_ordered_ops() if nodes is None else nodes)
        still = () if inputs is None else set(model.get_parameters()) - set(inputs)
        self._dependent: set[Node] = set()
        for node in self.nodes:
            if (has(node, Trait.SOURCE) and node not in still) or self.data_inputs(node):
                self._dependent.add(node)

    def _number(self, nodes: Sequence[Node]) -> None:
        self.nodes = nodes
        self.position = {node: index for index, node in enumerate(nodes)}
        self._learned: set[Node] | None = None

    def carried(self, nodes: Sequence[Node]) -> DataFlow:
        """The same edges in a copy of the model whose nodes are these, in the same order."""
        flow = DataFlow.__new__(DataFlow)
        flow._number(nodes)
        flow._dependent = {nodes[self.position[node]] for node in self._dependent}
        return flow

    def depends_on_input(self, port: Output) -> bool:
        """Whether a tensor's values change with the values of the model's inputs."""
        return port.get_node() in self._dependent

    def data_inputs(self, node: Node) -> list[Output]:
        """Inputs of a node that carry data."""
        if has(node, Trait.SHAPE):
            return []
        return [port for port in node.input_values() if port.get_node() in self._dependent]

    def is_learned(self, port: Output) -> bool:
        """Whether a tensor is computed from the inputs by weights, and not just a form of what comes in."""
        if self._learned is None:
            self._learned = set()
            for node in self.nodes:
                data = self.data_inputs(node)
                weighs = has(node, Trait.CONVOLUTION, Trait.PRODUCT) and len(data) < node.get_input_size()
                if data and (weighs or any(port.get_node() in self._learned for port in data)):
                    self._learned.add(node)
        return port.get_node() in self._learned

    def between(self, source: Output, sink: Output) -> list[Node]:
        """Nodes on the data paths from ``source`` to ``sink``, in order; empty when no path leads there."""
        return self.downstream([source], sink)

    def downstream(self, sources: Collection[Output], sink: Output) -> list[Node]:
        """Nodes on the data paths from any of ``sources`` to ``sink``, in order, none before a source."""
        reached = set(sources)
        first = min(self.position[port.get_node()] for port in sources)
        downstream: list[Node] = []
        for node in self.nodes[first + 1 :]:
            if not reached.isdisjoint(self.data_inputs(node)):
                reached.update(node.outputs())
                downstream.append(node)
        if sink not in reached or sink in sources:
            return []
        wanted = {sink.get_node()}
        for node in reversed(downstream):
            if node in wanted:
                wanted.update(port.get_node() for port in self.data_inputs(node) if port not in sources)
        return [node for node in downstream if node in wanted]

    def narrow_places(self, sink: Output) -> Iterator[Output]:
        """Tensors through which all data on its way to ``sink`` passes, ``sink`` itself first."""
        frontier = {sink}  # tensors from which the sink is computed
        while frontier:
            if len(frontier) == 1:
                yield next(iter(frontier))
            node = max((port.get_node() for port in frontier), key=self.position.__getitem__)
            frontier = {port for port in frontier if port.get_node() != node}
            frontier.update(self.data_inputs(node))
