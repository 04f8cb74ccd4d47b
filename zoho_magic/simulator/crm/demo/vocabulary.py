"""Names, companies and places the demo org is made of, in several scripts."""

from __future__ import annotations

import random
import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

__all__ = ["FictionalContact", "accounts", "descriptions", "emails", "people", "phones"]


class FictionalContact(NamedTuple):
    """Somebody at some company somewhere."""

    first: str | None
    last: str
    company: str
    email: str
    website: str
    title: str
    street: str
    city: str
    state: str | None
    zip_code: str
    country: str
    region: str


FIRST = {
    "us": "Avery Jordan Maya Ethan Olivia Noah Grace Caleb Ruth Henry Zoe Isaac Nora Wyatt June Miles",
    "ca": "Gabriel Élodie Liam Maëlle Owen Chloé Hudson Béatrice",
    "latam": "Lucía Mateo João Inês Sofía Nicolás Renata Thiago",
    "eu": "Jürgen Élise Søren Łukasz Zoë Matteo Katarzyna Åsa Benoît Greta Óscar Ingrid",
    "uk": "Niamh Alasdair Imogen Rhys Poppy Callum Aoife Harriet",
    "apac": "美咲 健太 Priya Arjun Mei Wei Aarav Ananya 陽菜 지민 Ravi Siti",
}
LAST = {
    "us": "Carter Nguyen O'Brien Whitfield Ramirez Goldberg Washington Kowalski Fisher Delgado Park Brooks Stone Hale",
    "ca": "Tremblay MacLeod Gagnon Bouchard Fraser Côté",
    "latam": "Fernández Silva Gonçalves Peña Rojas Araújo",
    "eu": "Müller Lefèvre Sørensen Wójcik D'Angelo Nilsson Großmann García-Lorca Ünal Novák van_der_Berg Škoda",
    "uk": "O'Connor Campbell Hughes Fitzgerald Ashworth MacDonald",
    "apac": "佐藤 鈴木 Sharma Patel Chen Tan 김 Reddy 高橋 Iyer Wong Rahman",
}
PLACES = {
    "us": (("Sacramento", "CA", "United States"), ("Austin", "TX", "United States"), ("Denver", "CO", "United States"),
           ("Raleigh", "NC", "United States"), ("Portland", "OR", "United States")),
    "ca": (("Montréal", "QC", "Canada"), ("Toronto", "ON", "Canada"), ("Calgary", "AB", "Canada")),
    "latam": (("São Paulo", "SP", "Brazil"), ("Bogotá", None, "Colombia"), ("Valparaíso", None, "Chile")),
    "eu": (("München", "Bayern", "Germany"), ("Lyon", None, "France"), ("København", None, "Denmark"),
           ("Kraków", None, "Poland"), ("Valencia", None, "Spain"), ("Antwerpen", None, "Belgium")),
    "uk": (("Leeds", None, "United Kingdom"), ("Glasgow", "Scotland", "United Kingdom"),
           ("Cardiff", "Wales", "United Kingdom")),
    "apac": (("Pune", "MH", "India"), ("大阪", None, "Japan"), ("Singapore", None, "Singapore"),
             ("Brisbane", "QLD", "Australia"), ("서울", None, "South Korea")),
}  # fmt: skip
REGIONS, SHARES = ("us", "ca", "latam", "eu", "uk", "apac"), (34, 6, 7, 28, 10, 15)
HEADS = ("Bright", "Silver", "Cedar", "Harbor", "Summit", "Prairie", "Granite", "Willow", "Falcon", "Ember", "Lotus",
         "Meridian", "Orchard", "Copper", "Aurora", "Juniper", "Atlas", "Nova", "Polar", "Delta", "Sönne", "Étoile",
         "Høst", "Río", "Zielona", "Sakura", "Himal", "Karoo", "Tasman", "Vega")  # fmt: skip
TAILS = ("water", "field", "stone", "works", "line", "ridge", "wood", "gate", "mill", "grove", "point", "dale",
         "bridge", "haus", "lands", "port", "view", "spring")  # fmt: skip
FORMS = {"us": ("Inc.", "LLC", "Group"), "ca": ("Ltd.", "Inc."), "latam": ("S.A.", "Ltda."),
         "eu": ("GmbH", "SARL", "A/S", "Sp. z o.o."), "uk": ("Ltd", "plc", "& Sons"),
         "apac": ("Pvt. Ltd.", "株式会社", "Pte. Ltd.")}  # fmt: skip
TITLES = ("Facility Manager", "CFO", "Head of Procurement", "Owner", "Energy Manager", "Plant Director", "CTO",
          "Geschäftsführer", "Gérante", "Sustainability Lead", "Office Manager",
          "Directora de Operaciones")  # fmt: skip
STREETS = ("Oak Street", "Hauptstraße", "Rue des Lilas", "Main Road", "Industrial Way", "Calle Mayor", "Station Lane")
NOTES = (
    None,
    "Wants a quote for the new warehouse roof.",
    'Said: "call me after the board meeting", twice.',
    "Two sites, one grid connection;\nneeds storage.\n\n- roof: 1,200 m²\n- yard: 300 m²",
    "Interessiert an Förderung, Rückruf nächste Woche.",
    "Budget confirmed, decision in Q4, competitor: Helios AG",
    "屋根の面積は約800平方メートル。見積もり希望。",
    "Très intéressée, à rappeler le lundi 🌞",
    "Tab\there, comma, semicolon; and a backslash \\ in the notes",
    "  leading and trailing spaces kept  ",
    "لديهم ثلاثة مبانٍ ويريدون عرض سعر",
    "Met at the fair — stand 4/B <b>not bold</b> & ampersand",
)


def descriptions(_random: random.Random) -> tuple[str | None, ...]:
    """What sellers wrote down: nothing, mostly, then twelve kinds of text a CSV or a page must survive."""
    return NOTES


def phones(source: random.Random, amount: int, share: float) -> list[str | None]:
    """Phone numbers nobody has, as people type them."""
    draw = source.random
    shapes = (
        "+1 555 01%02d-%04d",
        "(555) 01%02d %04d",
        "+49 30 55501%02d%04d",
        "+81-3-5550-%02d%04d",
        "0555/01%02d%04d",
    )
    return [
        shapes[int(draw() * 5)] % (int(draw() * 100), int(draw() * 10_000)) if draw() < share else None
        for _ in range(amount)
    ]


def _slug(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text.replace("ß", "ss").replace("ø", "o").replace("Ł", "L").replace("ł", "l"))
    return "".join(letter for letter in plain.lower() if letter.isascii() and letter.isalnum())


def _companies(source: random.Random, amount: int) -> list[tuple[str, str, str]]:
    """(name, domain, region), all names different."""
    found: dict[str, tuple[str, str, str]] = {}
    regions = source.choices(REGIONS, SHARES, k=amount)
    for number, region in enumerate(regions):
        head, tail = source.choice(HEADS), source.choice(TAILS)
        name = f"{head}{tail} {source.choice(FORMS[region])}"
        domain = f"{_slug(head)}{tail}.example"
        if name in found:
            name, domain = (
                f"{head}{tail} {number} {source.choice(FORMS[region])}",
                f"{_slug(head)}{tail}{number}.example",
            )
        found[name] = (name, domain, region)
    return list(found.values())


def _at(
    source: random.Random, company: tuple[str, str, str], names: dict[str, list[tuple[str, str, str]]]
) -> FictionalContact:
    name, domain, region = company
    first, last, slug = source.choice(names[region])
    city, state, country = source.choice(PLACES[region])
    street = f"{source.randrange(1, 240)} {source.choice(STREETS)}"
    zip_code = f"{source.randrange(1000, 99999):05d}"
    return FictionalContact(
        first or None, last, name, f"{slug}@{domain}", f"https://www.{domain}", source.choice(TITLES),
        street, city, state, zip_code, country, region,
    )  # fmt: skip


def _names() -> dict[str, list[tuple[str, str, str]]]:
    made: dict[str, list[tuple[str, str, str]]] = {}
    for region, firsts in FIRST.items():
        pairs = [(first, last.replace("_", " ")) for first in ["", *firsts.split()] for last in LAST[region].split()]
        made[region] = [
            (first, last, ".".join(filter(None, (_slug(first), _slug(last)))) or f"kontakt{place}")
            for place, (first, last) in enumerate(pairs)
        ]
    return made


def people(source: random.Random, amount: int) -> list[FictionalContact]:
    """`amount` people, some of them twice."""
    names = _names()
    companies = _companies(source, max(10, min(amount // 3, 2500)))
    pool = [_at(source, source.choice(companies), names) for _ in range(min(amount, 8000))]
    return source.choices(pool, k=amount)


def emails(crowd: Sequence[FictionalContact]) -> list[str]:
    """An address for each of them, all different."""
    seen: dict[str, int] = {}
    made = []
    for each in crowd:
        times = seen[each.email] = seen.get(each.email, 0) + 1
        made.append(each.email if times == 1 else each.email.replace("@", f".{times}@", 1))
    return made


def accounts(source: random.Random, amount: int) -> list[FictionalContact]:
    """`amount` companies, all called differently, with an address each."""
    names = _names()
    return [_at(source, company, names) for company in _companies(source, amount)]
