"""Ray itself: the library, where it is installed, a cluster to work on, and what Ray says of failures."""

from __future__ import annotations

import importlib
import logging
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Final, TypeVar

from ovxai_convert.errors import ModelReadError, OvxaiError, UsageError

_Made = TypeVar("_Made")
_PATIENCE: Final = 10.0
"""Seconds that a cluster has to answer at all."""
_HERE: Final = "local"
"""In place of an address: a cluster of this machine alone, for as long as it is needed."""


def ray_library() -> Any:
    """Ray with its data sets; a UsageError that names the extra where it is not installed."""
    try:
        importlib.import_module("pyarrow")
        importlib.import_module("ray.data")
        return importlib.import_module("ray")
    except ImportError:
        raise UsageError(
            "Ray is not installed: pip install 'ovxai-convert[ray]'",
            "--engine ray: Ray is not installed: pip install 'ovxai-convert[ray]'",
        ) from None


@contextmanager
def cluster(address: str | None) -> Iterator[Any]:
    """Ray, connected to the cluster at an address; without one, to one of this machine that ends with it.

    Raises:
        UsageError: Ray is not installed; or there is no cluster at this address.
    """
    ray = ray_library()
    where = f"--ray-address {address}: " if address else ""
    if address is not None:
        _knock(address, where)
    logging.getLogger("ray.data").setLevel(logging.ERROR)  # what else it says is told in the run's own words
    try:
        ray.init(address=address or _HERE, log_to_driver=False, logging_level="ERROR", include_dashboard=None)
    except (ConnectionError, ValueError, RuntimeError) as error:
        raise UsageError(f"{where}no cluster of Ray can be used: {_first_line(error)}") from error
    try:
        yield ray
    finally:
        with suppress(Exception):  # what is left of a cluster that has broken down
            ray.shutdown()


def _knock(address: str, where: str) -> None:
    """Raise a UsageError where nobody answers at an address, which Ray itself would wait for without end."""
    host, _, port = address.rpartition("://")[2].rpartition(":")
    if not host or not port.isdecimal():  # as "auto", which Ray looks up
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), _PATIENCE).close()
    except (OSError, OverflowError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise UsageError(f"{where}no cluster of Ray answers there: {reason}") from error


def what_ray_says(ray: Any, do: Callable[[], _Made]) -> _Made:
    """What is made; an error of Ray's becomes that of the package behind it, or a ModelReadError."""
    try:
        return do()
    except ray.exceptions.RayError as error:
        behind: BaseException | None = error
        while behind is not None and not isinstance(behind, OvxaiError):
            behind = getattr(behind, "cause", None) or behind.__cause__
        if isinstance(behind, OvxaiError):
            raise behind from error
        raise ModelReadError(f"Ray has given up: {_first_line(error)}") from error


def _first_line(error: BaseException) -> str:
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0] if lines else type(error).__name__
