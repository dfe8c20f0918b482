"""Whether a JPEG goes on to its end: older versions of OpenCV fill one that is cut off with grey."""

from __future__ import annotations

from typing import Final

_START: Final = b"\xff\xd8"
_END: Final = b"\xff\xd9"
_SCAN: Final = b"\xda"


def is_cut_off(content: bytes) -> bool:
    """Whether a file is a JPEG whose end is missing.

    That of a small picture in its header does not count.
    """
    if not content.startswith(_START):
        return False
    at = len(_START)
    while content[at : at + 1] == b"\xff":
        kind = content[at + 1 : at + 2]
        if kind == _SCAN:
            return content.rfind(_END, at) < 0  # as a rule it is where the file ends
        at += 1 if kind == b"\xff" else 2 + int.from_bytes(content[at + 2 : at + 4], "big")
    return False
