"""The demo org's users: where they sit, how well they sell, and what they may do.

The first is the person who signs in unless `options.zuid` names another of them.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["PEOPLE", "SELLERS", "User"]


@dataclass(frozen=True)
class User:
    """A user of the org. `wins` is the share of their closed deals that are won, `size` how large those are."""

    id: int
    zuid: str
    first_name: str
    last_name: str
    email: str
    time_zone: str
    locale: str
    role: str = "Sales"
    profile: str = "Standard"
    status: str = "active"
    confirmed: bool = True
    region: str = ""
    wins: float = 0.0
    size: float = 1.0

    @property
    def full_name(self) -> str:
        """First and last name."""
        return f"{self.first_name} {self.last_name}".strip()


def _user(number: int, first: str, last: str, email: str, zone: str, locale: str, **more: object) -> User:
    return User(
        554023000000235001 + number * 2010, str(700200300 + number), first, last, f"{email}@example.com",
        zone, locale, **more,  # type: ignore[arg-type]
    )  # fmt: skip


ADMIN = {"role": "CEO", "profile": "Administrator"}
PEOPLE = (
    _user(0, "Patricia", "Boyle", "patricia.boyle", "America/Los_Angeles", "en_US", region="west", wins=0.46, **ADMIN),
    _user(1, "Anaïs", "Lefèvre", "anais.lefevre", "Europe/Paris", "fr_FR", region="eu", wins=0.58, size=1.25),
    _user(2, "Rajesh", "Iyer", "rajesh.iyer", "Asia/Kolkata", "en_IN", region="apac", wins=0.39, size=0.8),
    _user(3, "さくら", "田中", "sakura.tanaka", "Asia/Tokyo", "ja_JP", region="apac", wins=0.51),
    _user(4, "Diego", "Muñoz", "diego.munoz", "America/Sao_Paulo", "pt_BR", region="west", wins=0.31, size=1.5),
    _user(5, "Lena", "Schäfer", "lena.schaefer", "Europe/Berlin", "de_DE", region="eu", wins=0.42, size=1.1),
    _user(6, "Thandiwe", "Nkosi", "thandiwe.nkosi", "Africa/Johannesburg", "en_ZA", region="eu", wins=0.35, size=0.7),
    _user(7, "Siobhán", "O'Neill", "siobhan.oneill", "Europe/London", "en_GB", region="uk", wins=0.54),
    _user(8, "Marcus", "Reyes", "marcus.reyes", "America/New_York", "en_US", status="disabled", region="west",
          wins=0.22, size=0.9),
    _user(9, "Integration", "", "integration", "UTC", "en_US", confirmed=False, **ADMIN),
    _user(10, "Former", "Colleague", "former.colleague", "America/Chicago", "en_US", status="deleted"),
)  # fmt: skip
SELLERS = tuple(person for person in PEOPLE if person.region)
