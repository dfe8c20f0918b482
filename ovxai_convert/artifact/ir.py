"""Writing a model as IR: into files, or into memory and back."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import openvino as ov

from ovxai_convert.errors import WriteError, last_line

_ALMOST_NOTHING: Final = 64 * 1024
"""Bytes free where what failed to be written has filled the disk; OpenVINO does not say so."""


def write_ir(model: ov.Model, xml: Path) -> None:
    """Write ``xml`` and the ``.bin`` beside it, weights in the precision they have, or raise a WriteError."""
    try:
        ov.serialize(model, xml, xml.with_suffix(".bin"))
    except RuntimeError as error:
        full = xml.parent.is_dir() and shutil.disk_usage(xml.parent).free < _ALMOST_NOTHING
        reason = os.strerror(errno.ENOSPC) if full else last_line(error)
        raise WriteError(f"{xml}: cannot write the model: {reason}") from error


@dataclass(frozen=True)
class IrInMemory:
    """A model as the bytes of its IR, which can be pickled."""

    xml: bytes
    weights: bytes

    @classmethod
    def of(cls, model: ov.Model) -> IrInMemory:
        """A model's IR; a WriteError where the folder for temporary files, through which it goes, is full."""
        with tempfile.TemporaryDirectory() as folder:
            xml = Path(folder, "model.xml")
            write_ir(model, xml)
            return cls(xml.read_bytes(), xml.with_suffix(".bin").read_bytes())

    def read(self) -> ov.Model:
        """The model."""
        return ov.Core().read_model(self.xml, self.weights)
