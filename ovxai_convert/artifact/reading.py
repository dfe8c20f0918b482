"""A converted model as it is found: by the sidecar beside it if that fits, else by what stands in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import openvino as ov

from ovxai_convert.artifact.fitting import changes, contradiction, disagreement, input_was_replaced
from ovxai_convert.artifact.parsing import claims_to_be_one, read_description, read_sidecar_file
from ovxai_convert.artifact.recovery import recover_around
from ovxai_convert.artifact.sidecar import Description, Sidecar
from ovxai_convert.errors import ModelReadError
from ovxai_convert.files import is_file
from ovxai_convert.source.formats import is_ir, is_onnx, weights_of
from ovxai_convert.source.reading import read_model, sha256_of_file

EMBEDDED: Final = "ovxai"
"""Where the description stands in ``rt_info``."""
_FROM_ONNX: Final = "framework"
"""Where in ``rt_info`` OpenVINO puts the metadata of an ONNX file."""
_NONE: Final[Mapping[str, str]] = MappingProxyType({})


@dataclass(frozen=True)
class Artifact:
    """A converted model's description, and what its proof no longer covers; nothing if it is as it was.

    ``input_replaced``: its input is no more the one that the preprocessing was told of.
    """

    description: Description
    doubts: tuple[str, ...] = ()
    input_replaced: bool = False


def embed(model: ov.Model, description: Description) -> None:
    """Write a description into a model."""
    model.set_rt_info(description.to_line(), [EMBEDDED])


def embedded_in(model: ov.Model, where: str) -> Description | None:
    """The description that stands in a model, if one does; a ModelReadError if it is none."""
    places = ([EMBEDDED], [_FROM_ONNX, EMBEDDED])
    place = next((each for each in places if model.has_rt_info(each)), None)
    return None if place is None else read_description(model.get_rt_info(place).astype(str), where)


def find_artifact(model: ov.Model, path: Path | None, digests: Mapping[str, str] = _NONE) -> Artifact | None:
    """What is known of a model that was read from ``path`` (None: it is in memory), if it was converted.

    ``digests`` are SHA-256 of its files by their names, where they are known already.

    Raises:
        ModelReadError: a description is not valid, or of another model.
    """
    where = "the model" if path is None else str(path)
    embedded = embedded_in(model, where)
    sidecar = None if path is None else _sidecar_beside(path, converted=embedded is not None)
    if path is not None and sidecar is not None:
        beside = path.with_suffix(".json")
        files = _files(path, sidecar)
        changed = [file for file, recorded in files if _digest(path, file, digests) != recorded]
        if not files:  # it is of another form of the model alone
            changed = [path]
        if not changed:
            _refuse(contradiction(sidecar, model), beside)
            if embedded is not None and (key := disagreement(sidecar, embedded)) is not None:
                _refuse(f"its {key} are not those that stand in the model", beside)
            return Artifact(sidecar)
        if embedded is None:
            raise ModelReadError(
                f"{changed[0]}: not the file that its sidecar describes; convert the model again"
            )
        doubt = f"'{beside.name}' and its proof are of another file than '{changed[0].name}'"
    elif embedded is None:
        return None
    elif path is None:
        doubt = "it is in memory, so that nothing tells whether it is still what was proved"
    else:
        doubt = (
            f"no sidecar is beside it as '{path.with_suffix('.json').name}', so that its proof is not at hand"
        )
    _refuse(contradiction(embedded, model), Path(where))
    doubts = [f"{doubt}; it is read by the description that stands in it", changes(embedded, model)]
    told = tuple(each for each in doubts if each is not None)
    return Artifact(embedded, told, input_was_replaced(embedded, model))


def read_sidecar(path: str | Path) -> Description:
    """The description of a converted model: of its sidecar's path, or of the model's own.

    Returns:
        A :class:`~ovxai_convert.artifact.sidecar.Sidecar` where the file beside the model was read; else what
        stands in the model, which tells nothing of files and of the proof.

    Raises:
        ModelReadError: there is neither, or it is not valid, of a version that is not known, or of another
            model.
    """
    path = Path(path)
    recover_around(path)
    if not (is_ir(path) or is_onnx(path)):
        return read_sidecar_file(path)
    artifact = find_artifact(read_model(path), path)
    if artifact is None:
        raise ModelReadError(f"{path}: no sidecar is beside it, and no description stands in it")
    return artifact.description


def _sidecar_beside(path: Path, *, converted: bool) -> Sidecar | None:
    """The sidecar of an IR or an ONNX file; one of its name beside what was not converted may be anything."""
    beside = path.with_suffix(".json")
    if not (is_ir(path) or is_onnx(path)) or not is_file(beside):
        return None
    claim = claims_to_be_one(beside)
    if not (claim or (converted and claim is None)):
        return None
    sidecar = read_sidecar_file(beside)
    of_another_form = not converted and not _files(path, sidecar)  # of an IR beside its source, say
    return None if of_another_form else sidecar


def _files(path: Path, sidecar: Sidecar) -> tuple[tuple[Path, str], ...]:
    """The files of a model, and their SHA-256 as recorded; none where it was not written in this form."""
    if is_ir(path):
        model = sidecar.model
        return () if model is None else ((path, model.xml_sha256), (weights_of(path), model.bin_sha256))
    if sidecar.onnx is None:
        return ()
    beside = [(path.parent / each.file, each.sha256) for each in sidecar.onnx.external]
    return (path, sidecar.onnx.sha256), *beside


def _digest(path: Path, file: Path, known: Mapping[str, str]) -> str | None:
    """SHA-256 of a file of a model; None where it is not there."""
    name = file.relative_to(path.parent).as_posix() if file.is_relative_to(path.parent) else file.name
    if name in known:
        return known[name]
    return sha256_of_file(file) if is_file(file) else None


def _refuse(reason: str | None, where: Path) -> None:
    if reason is not None:
        raise ModelReadError(f"{where}: not the description of this model: {reason}")
