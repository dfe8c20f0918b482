"""What a user may have meant: names like the one that does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def did_you_mean(wanted: str, known: Iterable[str], otherwise: str = "") -> str:
    """Ending of an error line that offers up to three names like the one not found."""
    lowered = {name.lower(): name for name in sorted(set(known))}
    close = difflib.get_close_matches(wanted.lower(), lowered, n=3, cutoff=0.5)
    close = close or [low for low in lowered if wanted.lower() in low][:3]
    if not close:
        return otherwise
    quoted = (f"'{lowered[low]}'" for low in close)
    return f"; did you mean {', '.join(quoted)}?"
