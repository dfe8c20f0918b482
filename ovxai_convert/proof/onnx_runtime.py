"""The proof of an ONNX file in ONNX Runtime: beside its source, with the same options, on the same inputs."""

from __future__ import annotations

import importlib
import os
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from openvino import Output

from ovxai_convert.artifact.checks import OutputCheck, RuntimeCheck, SaliencyCheck
from ovxai_convert.emission.appending import write_appended
from ovxai_convert.emission.source_graph import SourceGraph
from ovxai_convert.errors import VerificationError, last_line
from ovxai_convert.insertion.request import Branch, Place
from ovxai_convert.proof.added_outputs import shared_out
from ovxai_convert.proof.comparison import measure
from ovxai_convert.proof.feature_check import CutHead
from ovxai_convert.proof.framework import FRAMEWORKS, places_of_inputs
from ovxai_convert.proof.map_check import check_maps, merged_checks
from ovxai_convert.proof.onnx_cut import OnnxCut, widened
from ovxai_convert.proof.trial_inputs import TrialInput
from ovxai_convert.tensors.precision import is_half

_NAME: Final = "onnxruntime"
FUSED: Final = "ORT_ENABLE_ALL"
UNFUSED: Final = "ORT_DISABLE_ALL"
"""Levels of optimisation: without any, quantised layers are computed in floats."""

Arrays = tuple[NDArray[Any], ...]


class Runtime:
    """ONNX Runtime on the CPU, with its default options; what it raises becomes a VerificationError."""

    def __init__(self) -> None:
        self._module = importlib.import_module(_NAME)
        self.name = f"ONNX Runtime {version(_NAME)}"

    @staticmethod
    def installed() -> bool:
        """Whether it is there."""
        return FRAMEWORKS[_NAME].installed() is not None

    def loaded(self, model: Path | bytes, what: str, level: str = FUSED) -> Any:
        """A session of a file or of what one would hold; ``what`` it is, where it is not taken."""
        options = self._module.SessionOptions()
        options.log_severity_level = 4  # what it has to say is raised, too
        options.graph_optimization_level = getattr(self._module.GraphOptimizationLevel, level)
        given = model if isinstance(model, bytes) else str(model)
        try:
            return self._module.InferenceSession(given, options, providers=["CPUExecutionProvider"])
        except Exception as error:  # of several kinds, which have no root of their own
            raise VerificationError(f"ONNX Runtime does not take {what}: {last_line(error)}") from error

    def run(
        self, session: Any, feed: Mapping[str, NDArray[Any]], names: Sequence[str] | None = None
    ) -> Arrays:
        """The outputs that are named, or all in their order."""
        try:
            return tuple(np.asarray(output) for output in session.run(names, dict(feed)))
        except Exception as error:  # likewise
            raise VerificationError(f"ONNX Runtime does not run it: {last_line(error)}") from error


@dataclass(frozen=True)
class RuntimeComparison:
    """An ONNX file beside its source in ONNX Runtime.

    ``movement`` is the largest difference of any original output as a part of its range, 0.0 when all are
    bit-exact; ``added`` holds per trial one array per added output.
    """

    path: Path
    outputs: tuple[OutputCheck, ...]
    movement: float
    added: tuple[Arrays, ...]


HeadInOpenVino = Callable[[Place, TrialInput], "tuple[CutHead, Sequence[NDArray[Any]]]"]
"""A head in OpenVINO, and what enters it for an input."""


class OnnxRuntimeProver:
    """Runs a source in ONNX Runtime, once, and holds files that were made of it to that.

    Args:
        source: the file that branches are added to.
        inputs: names of each input of OpenVINO's reading, in order.
        trials: inputs in the same order; those that ONNX Runtime cannot take are left out.
        quantised: whether it rounds in between.
        folder: where files may be written, which has the source's external data beside them.

    Raises:
        VerificationError: ONNX Runtime does not take the source, or none of the inputs.
    """

    def __init__(
        self,
        source: SourceGraph,
        inputs: Sequence[frozenset[str]],
        trials: Sequence[TrialInput],
        folder: Path,
        *,
        quantised: bool,
    ) -> None:
        self._runtime = Runtime()
        self._source, self._folder, self._quantised = source, folder, quantised
        self._session = self._runtime.loaded(source.path, "the source")
        self._taken: list[tuple[TrialInput, Mapping[str, NDArray[Any]], Arrays]] = []
        refused = ""
        places = places_of_inputs(self._session, inputs)
        for trial in trials:
            feed = {name: trial.feed[place] for name, place in places.items()}
            try:
                self._taken.append((trial, feed, self._runtime.run(self._session, feed)))
            except VerificationError as error:
                refused = str(error)
        if not self._taken:
            raise VerificationError(f"the source itself: {refused}")

    def compare(self, path: Path) -> RuntimeComparison:
        """Run a file on all inputs, and measure how far the outputs of its source have moved.

        Raises:
            VerificationError: ONNX Runtime does not take it, or it does not run.
        """
        results = self._results(path, FUSED)
        checks, movements = [], []
        for index, output in enumerate(self._session.get_outputs()):
            pairs = [
                (before[index], after[index])
                for (_, _, before), after in zip(self._taken, results, strict=True)
            ]
            difference, movement = measure(pairs)
            checks.append(OutputCheck(output.name, movement == 0, difference))
            movements.append(movement)
        added = tuple(outputs[len(checks) :] for outputs in results)
        return RuntimeComparison(path, tuple(checks), max(movements), added)

    def prove(
        self, comparison: RuntimeComparison, branches: Sequence[Branch], definition: HeadInOpenVino
    ) -> RuntimeCheck:
        """Hold the maps to their definition, computed by the source's own head in ONNX Runtime.

        Where a target is no tensor of the file, as the reader has put other ops in place of one, and of
        detectors, the ``definition`` is that of OpenVINO. Where they differ and the source is quantised, both
        are computed again without optimisations, in floats.

        Raises:
            VerificationError: a map is wrong.
        """
        checks = []
        for branch, own in zip(branches, shared_out(branches), strict=True):
            try:
                checks.append(self._checked(comparison.added, branch, own, definition, FUSED))
            except VerificationError:
                if not self._quantised:
                    raise
                results = self._results(comparison.path, UNFUSED)
                added = [outputs[len(comparison.outputs) :] for outputs in results]
                checks.append(self._checked(added, branch, own, definition, UNFUSED))
        return RuntimeCheck(self._runtime.name, len(self._taken), comparison.outputs, merged_checks(checks))

    def _checked(
        self, added: Sequence[Arrays], branch: Branch, own: slice, definition: HeadInOpenVino, level: str
    ) -> SaliencyCheck:
        cut = self._cut(branch.place, level)
        checks = []
        for seed, ((trial, feed, _), arrays) in enumerate(zip(self._taken, added, strict=True)):
            held, values = definition(branch.place, trial) if cut is None else (cut, cut.values(feed))
            checks.append(check_maps(held, branch.request, values, arrays[own], seed))
        return merged_checks(checks)

    def _cut(self, place: Place, level: str) -> OnnxHead | None:
        masked = [self._source.name_of(port) for port in place.target.masked]
        wanted = self._source.name_of(place.scores.port)
        names = [name for name in masked if name is not None]
        if wanted is None or len(names) < len(masked) or place.target.defined_by:
            return None
        cut = OnnxCut(self._source, names, wanted)
        return OnnxHead(self._runtime, cut, place, self._trunk(cut, level), level)

    def _trunk(self, cut: OnnxCut, level: str) -> Any:
        """The source that also gives out what enters its head, from a file under a name that is free."""
        handle, name = tempfile.mkstemp(".onnx", dir=self._folder)
        os.close(handle)
        try:
            write_appended(self._source.path, Path(name), cut.trunk_outputs(), {})
            return self._runtime.loaded(Path(name), "the source up to its target", level)
        finally:
            os.unlink(name)

    def _results(self, path: Path, level: str) -> list[Arrays]:
        session = self._runtime.loaded(path, "the converted file", level)
        return [self._runtime.run(session, feed) for _, feed, _ in self._taken]


class OnnxHead:
    """A source's head in ONNX Runtime, as definitions use one (``ovxai_convert.methods.method.Head``).

    ``trunk``: a session of the source that gives out what enters the head.
    """

    def __init__(self, runtime: Runtime, cut: OnnxCut, place: Place, trunk: Any, level: str) -> None:
        self._runtime, self._cut, self._trunk, self._level = runtime, cut, trunk, level
        self._head: Any = None
        self.method, self.target = place.method, place.target
        self.half_target = is_half(place.target.port)
        ports = {name: port for port in place.target.masked for name in port.get_names()}
        self.entering: tuple[Output | None, ...] = tuple(ports.get(name) for name in cut.entering)

    def values(self, feed: Mapping[str, NDArray[Any]]) -> list[NDArray[Any]]:
        """Arrays of the tensors that enter the head; numbers of half precision in float32."""
        asked = [name for name in self._cut.entering if name not in feed]
        found = {**feed, **dict(zip(asked, self._runtime.run(self._trunk, feed, asked), strict=True))}
        values = [widened(found[name]) for name in self._cut.entering]
        if self._head is None:
            self._head = self._runtime.loaded(self._cut.head(values), "the head of the source", self._level)
        return values

    def scores(self, values: Sequence[NDArray[Any]]) -> NDArray[Any]:
        """Scores ``[N, K]``."""
        (scores,) = self._runtime.run(self._head, dict(zip(self._cut.entering, values, strict=True)))
        return scores.reshape(scores.shape[:2])
