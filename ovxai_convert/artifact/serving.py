"""What a model server is told of a model that goes into its repository."""

from __future__ import annotations

from collections.abc import Sequence

from openvino import Model, Output

from ovxai_convert.artifact.repository import (
    DEFAULT_MAX_BATCH_SIZE,
    ArtifactFiles,
    ServedTensor,
    config_pbtxt,
    unnamed,
)
from ovxai_convert.errors import Refusal
from ovxai_convert.tensors.ports import extents


def server_config(
    files: ArtifactFiles, model: Model, max_batch_size: int = DEFAULT_MAX_BATCH_SIZE
) -> str | Refusal | None:
    """Text of the configuration that goes into ``files.config``; None where none is written.

    A Refusal says why the server that the files are meant for cannot serve the model.
    """
    if files.model_name is None:
        return None
    inputs, outputs = served_tensors(model.inputs), served_tensors(model.outputs)
    if files.config is None:
        return unnamed(inputs, outputs)
    return config_pbtxt(files.model_name, inputs, outputs, max_batch_size)


def served_tensors(ports: Sequence[Output]) -> tuple[ServedTensor, ...]:
    """Inputs or outputs under the names that servers go by, which is OpenVINO's ``get_any_name``."""
    return tuple(_served(port) for port in ports)


def _served(port: Output) -> ServedTensor:
    shape = extents(port)
    open_axes = () if shape is None else (dim for dim in port.get_partial_shape() if dim.is_dynamic)
    return ServedTensor(
        min(port.get_names(), default=None),
        str(port.get_element_type().get_type_name()),
        None if shape is None else tuple(-1 if extent is None else extent for extent in shape),
        any(dim.get_max_length() != -1 for dim in open_axes),
    )
