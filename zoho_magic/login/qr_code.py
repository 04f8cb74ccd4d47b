"""An address as a QR code, for a telephone to read off the screen."""

from __future__ import annotations

import io

__all__ = ["to_data_uri", "to_text"]


def to_data_uri(text: str) -> str:
    """A QR code as an image's `data:` address, dark on white in every theme: telephones read nothing else reliably."""
    import segno

    return str(segno.make(text, micro=False).svg_data_uri(scale=3, border=3, dark="#000", light="#fff"))


def to_text(text: str) -> str:
    """A QR code in half blocks, for a terminal."""
    import segno

    out = io.StringIO()
    segno.make(text, micro=False).terminal(out, border=2, compact=True)
    return out.getvalue()
