"""Files attached to the demo org's first deals and leads, with the names and sizes that downloads must survive."""

from __future__ import annotations

__all__ = ["FILES"]

PDF = b"%PDF-1.4\n1 0 obj<</Type/Catalog>>endobj\ntrailer<</Root 1 0 R>>\n%%EOF\n"
# Module, place of the record in it, file name, content.
FILES: tuple[tuple[str, int, str, bytes], ...] = (
    ("Deals", 0, "Angebot · März.pdf", PDF),
    ("Deals", 0, "Angebot · März.pdf", PDF + b"second version\n"),
    ("Deals", 0, "../../outside.txt", b"the name climbs out of the folder\n"),
    ("Deals", 0, "empty.csv", b""),
    ("Deals", 1, "CON", b"a name that Windows keeps for itself\n"),
    ("Deals", 1, "roof: plan?.png", b"\x89PNG\r\n\x1a\n" + bytes(range(256)) * 40),
    ("Deals", 2, "見積もり書.txt", "合計 ¥1,200,000\r\n".encode()),
    ("Deals", 2, "a" * 250 + ".txt", b"long name\n"),
    ("Leads", 0, "call.mp3", bytes(65_536)),
)
