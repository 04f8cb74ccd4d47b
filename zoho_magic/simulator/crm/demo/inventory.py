"""The demo org's products, quotes and quoted items."""

from __future__ import annotations

from .columns import Columns, Draw, day_of, stamps, tags
from .inventory_modules import QUOTE_STAGES
from .people import SELLERS
from .vocabulary import descriptions

__all__ = ["products", "quoted_items", "quotes"]

DAY = 86_400
GOODS = (("Module 440 Wp", 89.9), ("Inverter 10 kW", 1299.0), ('Rail, 2"', 14.5), ("Kabel 6 mm²", 4.75),
         ("Battery 13 kWh", 5400.0), ("Labour", 62.5), ("Wallbox 11 kW", 749.0), ("監視サービス", 19.0))  # fmt: skip


def _owned(draw: Draw) -> Columns:
    return stamps(draw, draw.pick([person.id for person in SELLERS]))


def products(draw: Draw, _made: dict[str, Columns]) -> Columns:
    """What Northbeam sells: `Order` is its place in the catalogue, `External` its id in another system."""
    goods = [GOODS[number % len(GOODS)] for number in range(draw.amount)]
    return _owned(draw) | {
        "Product_Name": [f"{name} {number // len(GOODS) + 1}" for number, (name, _) in enumerate(goods)],
        "Product_Code": [f"P-{number:05d}" for number in range(1, draw.amount + 1)],
        "Product_Active": draw.flags(0.9), "Product_Category": draw.pick(("hw", "svc", "sw", None), (60, 20, 15, 5)),
        "Unit_Price": [price for _, price in goods], "Qty_in_Stock": draw.sieve(0.9, draw.whole(0, 900)),
        "Manufacturer": draw.some(0.8, ("AltaVolt", "SunForge", "Northbeam")),
        "Sales_Start_Date": draw.some(0.7, ("2023-03-01", "2024-09-01", "2026-01-15")),
        "Tax": draw.several(("VAT", "Sales Tax", "Import Duty")), "Taxable": draw.flags(0.8),
        "Order": list(range(10, 10 * draw.amount + 10, 10)),
        "External": [None if number % 5 == 4 else f"EXT-{number:04d}" for number in range(draw.amount)],
        "Currency": ["USD"] * draw.amount, "Exchange_Rate": [1.0] * draw.amount, "Tag": tags(draw),
        "Description": draw.pick(descriptions(draw.random), (70, *([3] * 11))), "Locked__s": [0] * draw.amount,
    }  # fmt: skip


def quotes(draw: Draw, made: dict[str, Columns]) -> Columns:
    """Offers made for deals."""
    columns, deals = _owned(draw), made["Deals"]
    spots = draw.pick(range(len(deals["id"])))
    return columns | {
        "Subject": [f"{deals['Deal_Name'][spot]} · offer {number}" [:100] for number, spot in enumerate(spots, 1)],
        "Quote_Number": [f"QT-{number:06d}" for number in range(1, draw.amount + 1)],
        "Quote_Stage": draw.pick(QUOTE_STAGES, (20, 20, 25, 5, 10, 12, 8)),
        "Valid_Till": [day_of(moment + 30 * DAY) for moment in columns["Created_Time"]],
        "Deal_Name": [deals["id"][spot] for spot in spots],
        "Account_Name": [deals["Account_Name"][spot] for spot in spots],
        "Contact_Name": [deals["Contact_Name"][spot] for spot in spots],
        "Currency": [deals["Currency"][spot] for spot in spots],
        "Exchange_Rate": [deals["Exchange_Rate"][spot] for spot in spots],
        "Adjustment": draw.some(0.15, (-50, -12.5, 25)), "Tag": tags(draw), "Locked__s": [0] * draw.amount,
        "Terms_and_Conditions": draw.some(0.5, ("30 days net.", "Zahlbar innerhalb von 14 Tagen.\nSkonto: 2 %")),
        "Description": draw.pick(descriptions(draw.random), (80, *([3] * 11))),
    }  # fmt: skip


def quoted_items(draw: Draw, made: dict[str, Columns]) -> Columns:
    """The lines of the quotes, each a product at a price."""
    quoted, goods = made["Quotes"], made["Products"]
    parents = sorted(draw.pick(range(len(quoted["id"]))))
    numbers: list[int] = []
    for place, parent in enumerate(parents):
        numbers.append(numbers[-1] + 1 if place and parents[place - 1] == parent else 1)
    picks = draw.pick(range(len(goods["id"])))
    moments = [quoted["Created_Time"][parent] for parent in parents]
    prices, off = [goods["Unit_Price"][pick] for pick in picks], draw.some(0.3, (0.05, 0.1, 0.25))
    return {
        "Parent_Id": [quoted["id"][parent] for parent in parents], "Sequence_Number": numbers,
        "Product_Name": [goods["id"][pick] for pick in picks], "Quantity": draw.pick((1, 2, 4, 10, 24, 60)),
        "List_Price": prices,
        "Discount": [share and round(share * price, 2) for share, price in zip(off, prices, strict=True)],
        "Description": draw.some(0.3, ("incl. mounting", "ab Lager", "2 weeks lead time")),
        "Created_Time": moments, "Modified_Time": moments,
    }  # fmt: skip
