"""What an explainer warns of: kinds of warnings, so that each can be listened to or silenced by itself."""

from __future__ import annotations

import re


def in_python(text: str) -> str:
    """What a command says, for one who has arguments and no options (``activation="none"``)."""

    def argument(option: re.Match[str]) -> str:
        name, value = option.group(1).replace("-", "_"), option.group(2)
        return name if value is None else f'{name}="{value}"'

    return re.sub(r"--([a-z][a-z-]*)(?: (none|softmax|sigmoid)\b)?", argument, text)


class ProofWarning(UserWarning):
    """An artifact is no more the file that was proved: it was renamed, saved again, reshaped, quantised."""


class AnswerWarning(UserWarning):
    """What a model's class output means was assumed, since nothing says it."""


class PictureWarning(UserWarning):
    """A picture was taken in a way that nobody has asked for, or that may not be what is meant."""


class PreprocessingWarning(UserWarning):
    """Nobody says how levels of pixels become a model's input, or what is said looks wrong."""


class SettingWarning(UserWarning):
    """A setting was given that has no part in what came of it."""
