"""What a user asks of an explanation: a mode, a method, a layer, settings; and what of it fits together."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import Enum
from typing import Any

from ovxai_convert.errors import UsageError, did_you_mean, flag
from ovxai_convert.methods import Method, method_of
from ovxai_convert.vocabulary import layer_name, member_of, value_in_words


class ExplainMode(Enum):
    """How a model is explained.

    WHITEBOX: by a branch inside the model.
    BLACKBOX: by what it makes of altered images.
    AUTO: by a branch; where none is possible, as a black box.
    """

    WHITEBOX = "whitebox"
    BLACKBOX = "blackbox"
    AUTO = "auto"


@dataclass(frozen=True)
class Plan:
    """How an explanation is to be made; a UsageError where mode and method do not agree.

    No method: the first white-box one that is possible, RISE as a black box. ``target_layer`` and
    ``embed_scaling`` are those of :class:`~ovxai_convert.insertion.request.Request`.
    """

    mode: ExplainMode = ExplainMode.AUTO
    method: Method | None = None
    target_layer: str | None = None
    embed_scaling: bool = True

    def __post_init__(self) -> None:
        if self.method is not None:
            other = ExplainMode.WHITEBOX if self.method.is_black_box else ExplainMode.BLACKBOX
            if self.mode is other:
                raise UsageError(f"{self.method.value} is no {self.mode.value} method")

    @property
    def skips_branches(self) -> bool:
        """Whether no branch is to be tried."""
        return self.mode is ExplainMode.BLACKBOX or (self.method is not None and self.method.is_black_box)

    def changed(self, mode: object, method: object, layer: str | None, scaling: bool | None) -> Plan:
        """This plan with what is not None; another mode drops a method that is not one of its own.

        Mode and method may be text. What of it does not exist or fit is a UsageError.
        """
        wanted = None if mode is None else member_of(ExplainMode, mode, "explain_mode")
        named, kept = method_of(method), self.method
        if wanted is not None and kept is not None and kept.is_black_box != (wanted is ExplainMode.BLACKBOX):
            kept = None
        if scaling not in (None, True, False):
            raise UsageError(f"embed_scaling is True or False, and not {value_in_words(scaling)}")
        return Plan(
            wanted or self.mode,
            named or kept,
            layer_name(layer) or self.target_layer,
            self.embed_scaling if scaling is None else bool(scaling),
        )


def check_settings(settings: Mapping[str, Any]) -> None:
    """Refuse settings that no black-box method has."""
    if not settings:  # as a rule, of each photograph
        return
    known = {name for method in Method if method.black_box for name in method.black_box.settings}
    for name in settings:
        if name not in known:
            raise UsageError(f"there is no setting '{name}'{did_you_mean(name, known)}")


def check_kinds_of(device: object, **functions: object) -> None:
    """Refuse a device that is no text, and functions that cannot be called; None is none."""
    if not isinstance(device, str):
        raise UsageError(f"device_name: {value_in_words(device)} is none; give OpenVINO's name of one")
    for name, function in functions.items():
        if function is not None and not callable(function):
            raise UsageError(f"{name}: {value_in_words(function)} is none; give a function")


@dataclass(frozen=True)
class Unused:
    """Options without effect: their names, what came of the plan, and the mode that they are for."""

    options: tuple[str, ...]
    outcome: str
    mode: ExplainMode

    def __str__(self) -> str:
        return f"{self._said(self.options)}; it is for explain_mode '{self.mode.value}'"

    @property
    def in_command(self) -> str:
        """The same line for one who has a command's options and not Python's arguments."""
        return f"{self._said(map(flag, self.options))}; it is for --mode {self.mode.value}"

    def _said(self, names: Iterable[str]) -> str:
        return f"{', '.join(names)}: without effect, since {self.outcome}"


def without_effect(
    plan: Plan, method: Method | None, settings: Mapping[str, Any], layer: object
) -> Unused | None:
    """What was given for the other mode than it came to, if anything was.

    ``method`` is what a plan came to. A layer for a branch that turned out not to be possible is not meant:
    its refusal says so.
    """
    how = "the model's own map is taken" if method is None else f"it is explained by {method.value}"
    if settings and (method is None or not method.is_black_box):
        return Unused(tuple(settings), how, ExplainMode.BLACKBOX)
    if layer is not None and plan.skips_branches:
        return Unused(("target_layer",), how, ExplainMode.WHITEBOX)
    return None
