"""The demo org's records, drawn from a seed: the same seed gives the same rows.

Whole columns are drawn at once, which is what makes 100,000 leads a matter of seconds. The story they tell: sellers
differ in how often they win and in how large their deals are, quarters close strong, Augusts are slow, the business
grows, and each region sells in its own currency.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta, timezone
from typing import Any

from ..store import Store
from . import modules as org
from .activities import calls, deal_history, events, notes
from .columns import DAY, UNTIL, Columns, Draw, day_of, money, owners, stamps, tags
from .edge_cases import insert_edge_cases
from .inventory import products, quoted_items, quotes
from .people import PEOPLE, SELLERS
from .vocabulary import FictionalContact, accounts, descriptions, emails, people, phones

__all__ = ["fill"]

OPEN_WEIGHTS = (30, 22, 16, 12, 12, 8)
GOODS = (("Module 440 Wp", 89.9, 60), ("Inverter 10 kW", 1299.0, 3), ('Rail, 2"', 14.5, 80), ("Kabel 6 mm²", 4.75, 200),
         ("Battery 13 kWh", 5400.0, 2), ("Labour", 62.5, 40))  # fmt: skip


def fill(store: Store, rows: int, seed: int) -> None:
    """Put `rows` leads, and the accounts, contacts, deals, tasks and projects that go with them, into the store."""
    scale = min(rows, 20_000)
    made: dict[str, Columns] = {}
    makers: dict[str, tuple[Callable[[Draw, dict[str, Columns]], Columns], int]] = {
        "Accounts": (_accounts, max(12, scale * 12 // 100)), "Contacts": (_contacts, max(20, scale * 30 // 100)),
        "Deals": (_deals, max(30, scale * 35 // 100)), "Leads": (_leads, rows),
        "Tasks": (_tasks, max(20, scale // 4)), "Projects": (_projects, max(6, scale * 3 // 100)),
        "Project_Lines": (_lines, max(20, scale * 12 // 100)),
        "Projects_X_Contacts": (_links, max(10, scale * 6 // 100)),
        "Events": (events, max(16, scale * 15 // 100)), "Calls": (calls, max(16, scale * 20 // 100)),
        "Notes": (notes, max(16, scale * 10 // 100)), "Products": (products, max(12, scale // 100)),
        "Quotes": (quotes, max(8, scale * 5 // 100)), "Quoted_Items": (quoted_items, max(20, scale * 14 // 100)),
    }  # fmt: skip
    for name, (make, amount) in makers.items():
        module = store.schema[name]
        columns: Columns = {"id": store.ids(module, amount)}
        columns.update(make(Draw(f"{seed}/{name}", amount), made | {"": columns}))
        insert_edge_cases(module.name, columns)
        made[name] = columns
        store.fill(module, columns)
    history = deal_history(Draw(f"{seed}/DealHistory", len(made["Deals"]["id"])), made)
    ids = store.ids(store.schema["DealHistory"], len(history["Stage"]))
    store.fill(store.schema["DealHistory"], {"id": ids, **history})
    store.index()
    for parent in ("Accounts", "Projects", "Quotes"):
        store.refresh_rollups(store.schema[parent])


def _leads(draw: Draw, made: dict[str, Columns]) -> Columns:
    crowd = people(draw.random, draw.amount)
    regions = [each.region for each in crowd]
    columns = stamps(draw, owners(draw, regions))
    columns |= _who(crowd) | money(regions) | _places(crowd, "")
    columns |= _lead_story(draw) | _lead_extras(draw, made) | _conversion(draw, columns, made)
    return columns


def _who(crowd: Sequence[FictionalContact]) -> Columns:
    return {"First_Name": [each.first for each in crowd], "Last_Name": [each.last for each in crowd],
            "Company": [each.company for each in crowd], "Email": emails(crowd),
            "Website": [each.website for each in crowd], "Designation": [each.title for each in crowd]}  # fmt: skip


def _places(crowd: Sequence[FictionalContact], prefix: str) -> Columns:
    zip_code = f"{prefix}Zip" if prefix else "Zip_Code"
    return {f"{prefix}Street": [each.street for each in crowd], f"{prefix}City": [each.city for each in crowd],
            f"{prefix}State": [each.state for each in crowd], zip_code: [each.zip_code for each in crowd],
            f"{prefix}Country": [each.country for each in crowd]}  # fmt: skip


def _lead_story(draw: Draw) -> Columns:
    return {
        "Salutation": draw.some(0.6, org.SALUTATIONS), "Phone": phones(draw.random, draw.amount, 0.92),
        "Mobile": phones(draw.random, draw.amount, 0.45), "Fax": draw.some(0.03, ("+49 30 901820", "(555) 010-9999")),
        "Lead_Source": draw.pick(org.SOURCES, (18, 15, 13, 11, 4, 9, 10, 12, 5, 3)),
        "Lead_Status": draw.pick((*org.LEAD_STATUS, None), (20, 18, 22, 8, 14, 6, 5, 3, 4)),
        "Industry": draw.pick((*org.INDUSTRIES, None), (16, 9, 14, 8, 10, 8, 9, 7, 6, 5, 3, 5, 12)),
        "Rating": draw.some(0.35, org.RATINGS), "No_of_Employees": draw.sieve(0.8, draw.skewed(80, 1.2, 1)),
        "Annual_Revenue": draw.sieve(0.75, draw.skewed(2_500_000, 1.1, 50_000)),
        "Secondary_Email": draw.some(0.04, ("office@northbeam.example", "info@solaris.example")),
        "Skype_ID": draw.some(0.05, ("live:solar.anna", "sun.works")),
        "Twitter": draw.some(0.08, ("northbeam", "sünne")),
        "Description": draw.pick(descriptions(draw.random), (60, *([8] * 11))),
        "Email_Opt_Out": draw.flags(0.07), "Tag": tags(draw),
    }  # fmt: skip


def _lead_extras(draw: Draw, made: dict[str, Columns]) -> Columns:
    until = int(UNTIL.timestamp())
    births = [(date(1948, 1, 1) + timedelta(days=31 * step)).isoformat() for step in range(640)]
    ends = [(date(2026, 10, 1) + timedelta(days=17 * step)).isoformat() for step in range(120)]
    plans = [json.dumps([file]) for file in (_file(n) for n in range(12))]
    return {
        "Lead_Score": draw.whole(3, 100), "Products_Interested": draw.several(org.PRODUCTS),
        "Budget": draw.sieve(0.7, draw.skewed(24_000, 0.9, 500)),
        "Discount_Expected": draw.some(0.3, (2.5, 5, 7.5, 10, 12)),
        "Next_Follow_Up": draw.sieve(0.4, [until + 900 * step for step in draw.whole(-2_000, 6_000)]),
        "Date_of_Birth": draw.some(0.3, births), "Contract_End": draw.some(0.2, ends),
        "Account_Manager": draw.some(0.5, [person.id for person in SELLERS]),
        "Reference_Number": [f"NB-{number:06d}" for number in range(1, draw.amount + 1)],
        "Tax_Number": draw.sieve(0.5, draw.whole(10**17, 9 * 10**17)),
        "Roof_Tilt": draw.sieve(0.5, [tenth / 10 for tenth in draw.whole(0, 600)]),
        "Calibration": draw.some(0.1, (0.1, 0.30000000000000004, 1.0000000000000002, -2.5e-7)),
        "Referred_By": draw.some(0.1, made["Contacts"]["id"]), "Consent_Given": draw.pick((1, 0, None), (5, 3, 2)),
        "Site_Plans": draw.some(0.02, plans), "LinkedIn": draw.some(0.2, ("https://linkedin.example/in/solar",)),
        "Internal_Notes": draw.some(0.05, descriptions(draw.random)[1:]), "Locked__s": [0] * draw.amount,
        "Record_Status__s": ["Available"] * draw.amount,
        "Last_Activity_Time": draw.sieve(0.6, [until - 60 * step for step in draw.whole(0, 500_000)]),
    }  # fmt: skip


def _conversion(draw: Draw, columns: Columns, made: dict[str, Columns]) -> Columns:
    converted = draw.flags(0.14)
    age = draw.whole(3, 60)
    when = [moment + days * DAY if flag else None
            for moment, days, flag in zip(columns["Created_Time"], age, converted, strict=True)]  # fmt: skip

    def known(name: str, share: float) -> list[Any]:
        some = draw.some(share, made[name]["id"])
        return [each if flag else None for each, flag in zip(some, converted, strict=True)]

    return {"Converted__s": converted, "Converted_Date_Time": when, "Converted_Account": known("Accounts", 1),
            "Converted_Contact": known("Contacts", 1), "Converted_Deal": known("Deals", 0.7),
            "Lead_Conversion_Time": [n if flag else None for n, flag in zip(age, converted, strict=True)]}  # fmt: skip


def _file(number: int) -> dict[str, Any]:
    return {"id": str(554023000000900001 + number), "File_Id__s": f"vpkpd{number:04d}c0ffee{number:026d}",
            "File_Name__s": f"Dachplan · Süd {number}.pdf", "Size__s": str(18_000 + 512 * number),
            "Created_Time__s": "2026-03-03T09:15:00+01:00", "Description__s": None}  # fmt: skip


def _accounts(draw: Draw, _made: dict[str, Columns]) -> Columns:
    companies = accounts(draw.random, draw.amount)
    regions = [each.region for each in companies]
    heads = draw.skewed(140, 1.1, 1)
    ids = draw.some(0.08, _made[""]["id"])
    columns = stamps(draw, owners(draw, regions)) | money(regions) | _places(companies, "Billing_")
    return columns | {
        "Account_Name": [each.company for each in companies], "Website": [each.website for each in companies],
        "Account_Number": [str(40_000 + number) for number in range(draw.amount)],
        "Account_Type": draw.pick(("Customer", "Prospect", "Partner", "Distributor", "Supplier"), (50, 28, 12, 6, 4)),
        "Industry": draw.pick(org.INDUSTRIES, (16, 9, 14, 8, 10, 8, 9, 7, 6, 5, 3, 5)),
        "Rating": draw.some(0.3, org.RATINGS),
        "Parent_Account": [parent if parent != own else None for parent, own in zip(ids, _made[""]["id"], strict=True)],
        "Phone": phones(draw.random, draw.amount, 0.95), "Employees": heads,
        "Annual_Revenue": [count * rate for count, rate in zip(heads, draw.skewed(90_000, 0.4, 5_000), strict=True)],
        "Description": draw.pick(descriptions(draw.random), (80, *([3] * 11))), "Tag": tags(draw),
        "Locked__s": [0] * draw.amount,
    }  # fmt: skip


def _contacts(draw: Draw, made: dict[str, Columns]) -> Columns:
    crowd = people(draw.random, draw.amount)
    home = draw.sieve(0.95, draw.pick(range(len(made["Accounts"]["id"]))))
    regions = [each.region for each in crowd]
    columns = stamps(draw, owners(draw, regions)) | money(regions) | _places(crowd, "Mailing_")
    accounts_id = made["Accounts"]["id"]
    return columns | {
        "First_Name": [each.first for each in crowd], "Last_Name": [each.last for each in crowd],
        "Email": emails(crowd), "Title": [each.title for each in crowd],
        "Account_Name": [accounts_id[spot] if spot is not None else None for spot in home],
        "Salutation": draw.some(0.5, org.SALUTATIONS), "Phone": phones(draw.random, draw.amount, 0.9),
        "Mobile": phones(draw.random, draw.amount, 0.6), "Lead_Source": draw.some(0.8, org.SOURCES),
        "Department": draw.some(0.6, ("Purchasing", "Engineering", "Finance", "Facilities", "Vorstand", "施設管理")),
        "Reporting_To": draw.some(0.15, made[""]["id"]), "Languages": draw.several(("English", "Français", "Deutsch",
                                                                                   "Español", "日本語", "हिन्दी")),
        "Date_of_Birth": draw.some(0.2, ("1969-12-31", "1970-01-01", "1984-02-29", "1955-06-15", "1991-11-03")),
        "Email_Opt_Out": draw.flags(0.05), "Tag": tags(draw), "Locked__s": [0] * draw.amount,
    }  # fmt: skip


def _deals(draw: Draw, made: dict[str, Columns]) -> Columns:
    home = draw.pick(range(len(made["Accounts"]["id"])))
    at = {name: [made["Accounts"][name][spot] for spot in home]
          for name in ("id", "Owner", "Account_Name", "Currency", "Exchange_Rate")}  # fmt: skip
    columns = stamps(draw, at["Owner"])
    stages, closing = _outcomes(draw, columns)
    sizes = {person.id: person.size for person in SELLERS}
    amount = [base * sizes[owner] for base, owner in zip(draw.skewed(32_000, 0.75, 250), columns["Owner"], strict=True)]
    products = draw.pick(org.PRODUCTS[:7])
    return columns | {
        "Deal_Name": [f"{account} · {product} {number}" for number, (account, product)
                      in enumerate(zip(at["Account_Name"], products, strict=True), 1)],
        "Account_Name": at["id"], "Currency": at["Currency"], "Exchange_Rate": at["Exchange_Rate"],
        "Contact_Name": draw.some(0.85, made["Contacts"]["id"]), "Stage": stages, "Closing_Date": closing,
        "Amount": draw.sieve(0.98, amount), "Probability": [org.CHANCES[stage] for stage in stages],
        "Capacity_kWp": [round(euros / 1150, 2) for euros in amount],
    } | _deal_extras(draw, stages, columns)  # fmt: skip


def _outcomes(draw: Draw, columns: Columns) -> tuple[list[str], list[str]]:
    """Every deal's stage and closing date: older deals are decided, by their seller's luck; young ones are open."""
    wins = {person.id: person.wins for person in PEOPLE}
    cycle = draw.skewed(95, 0.5, 1)
    spin, last, stages, closing = draw.random.random, UNTIL.timestamp(), [], []
    for owner, created, days in zip(columns["Owner"], columns["Created_Time"], cycle, strict=True):
        due = created + days * DAY
        day = datetime.fromtimestamp(due, timezone.utc).date()
        if due < last and spin() < 0.97:
            # a quarter's end pulls deals over the line
            luck = wins[owner] + (0.07 if day.month % 3 == 0 else -0.02) - (0.05 if day.month == 8 else 0)
            stages.append("Closed Won" if spin() < luck else ("Closed Lost" if spin() < 0.7 else org.STAGES[8]))
        else:
            stages.append(draw.random.choices(org.STAGES[:6], OPEN_WEIGHTS)[0])
        closing.append(day.isoformat())
    return stages, closing


def _deal_extras(draw: Draw, stages: Sequence[str], columns: Columns) -> Columns:
    lost = draw.pick(("Price", "Competition", "No budget", "No decision", "Timing"), (30, 22, 16, 20, 12))
    moments = zip(stages, columns["Modified_Time"], strict=True)
    return {
        "Type": draw.pick(("New Business", "Existing Business", None), (60, 35, 5)),
        "Pipeline": draw.pick(("Standard", "Service"), (85, 15)), "Lead_Source": draw.some(0.8, org.SOURCES),
        "Next_Step": draw.some(0.3, ("Site visit", "Send proposal", "Angebot nachfassen", "Waiting for grid permit")),
        "Reason_For_Loss__s": [why if "Lost" in stage else None for why, stage in zip(lost, stages, strict=True)],
        "Signed_At": [moment if stage == "Closed Won" else None for stage, moment in moments],
        "Competitors": draw.several(("Helios AG", "SunForge", "Tata Power", "In-house"), empty=0.6),
        "Discount": draw.some(0.35, (2, 3.5, 5, 10)), "Second_Seller": draw.some(0.15, [p.id for p in SELLERS]),
        "Sales_Cycle_Duration": draw.whole(4, 160), "Tag": tags(draw), "Locked__s": [0] * draw.amount,
        "Description": draw.pick(descriptions(draw.random), (80, *([3] * 11))),
    }  # fmt: skip


def _tasks(draw: Draw, made: dict[str, Columns]) -> Columns:
    columns = stamps(draw, draw.pick([person.id for person in SELLERS]))
    status = draw.pick(org.TASK_STATUS, (25, 8, 17, 42, 8))
    related = draw.pick(("Accounts", "Deals", "Leads", None), (25, 45, 20, 10))
    pools = {name: made[name]["id"] for name in ("Accounts", "Deals", "Leads")}
    spin = draw.random.random
    due = [day_of(moment + 5 * DAY) for moment in columns["Created_Time"]]
    closed = zip(status, columns["Modified_Time"], strict=True)
    return columns | {
        "Subject": draw.pick(("Call back", "Send proposal", "Site survey", "Vertrag prüfen", "Check roof statics",
                              "Follow up: permits, grid", 'Ask about "storage"', "見積もりを送る", "Renewal")),
        "Due_Date": draw.sieve(0.9, due), "Status": status, "What_Id$module": related,
        "What_Id": [pools[name][int(spin() * len(pools[name]))] if name and pools[name] else None for name in related],
        "Priority": draw.pick(("High", "Highest", "Low", "Lowest", "Normal"), (20, 5, 15, 5, 55)),
        "Who_Id": draw.some(0.5, made["Contacts"]["id"]), "Send_Notification_Email": draw.flags(0.2),
        "Closed_Time": [moment if state == "Completed" else None for state, moment in closed],
        "Minutes_Spent": draw.sieve(0.5, draw.skewed(25, 0.8, 5)), "Locked__s": [0] * draw.amount,
        "Description": draw.pick(descriptions(draw.random), (70, *([3] * 11))), "Tag": tags(draw),
    }  # fmt: skip


def _projects(draw: Draw, made: dict[str, Columns]) -> Columns:
    columns = stamps(draw, draw.pick([person.id for person in SELLERS]))
    won = [spot for spot, stage in enumerate(made["Deals"]["Stage"]) if stage == "Closed Won"] or [0]
    spots = draw.pick(won)
    phases = draw.pick(org.PHASES, (14, 18, 12, 26, 10, 20))
    start = [day_of(moment) for moment in columns["Created_Time"]]
    return columns | {
        "Name": [f"{made['Deals']['Deal_Name'][spot]}" for spot in spots],
        "Project_Code": [f"NB{2023 + number % 4}-{number:04d}" for number in range(1, draw.amount + 1)],
        "Deal": [made["Deals"]["id"][spot] for spot in spots],
        "Account": [made["Deals"]["Account_Name"][spot] for spot in spots],
        "Budget": [made["Deals"]["Amount"][spot] for spot in spots],
        "Currency": [made["Deals"]["Currency"][spot] for spot in spots],
        "Exchange_Rate": [made["Deals"]["Exchange_Rate"][spot] for spot in spots], "Phase": phases,
        "Start_Date": start, "Go_Live": [moment + 120 * DAY for moment in columns["Created_Time"]],
        "Completion": [round(100 * (org.PHASES.index(phase) + 0.5) / 6, 1) for phase in phases],
        "On_Hold": draw.flags(0.08), "Grid_Operator_Id": draw.sieve(0.6, draw.whole(10**17, 9 * 10**17)),
        "Number": [f"PRJ-{number:06d}" for number in range(1, draw.amount + 1)],
        "Site_Manager": draw.pick([person.id for person in SELLERS]), "Components": draw.several(org.PRODUCTS, 0.05),
        "Permit": draw.some(0.4, [json.dumps([_file(number)]) for number in range(12, 20)]),
        "Tag": tags(draw), "Locked__s": [0] * draw.amount,
    }  # fmt: skip


def _children(draw: Draw, made: dict[str, Columns]) -> tuple[list[int], list[int]]:
    spots = sorted(draw.pick(range(len(made["Projects"]["id"]))))
    return [made["Projects"]["id"][spot] for spot in spots], [made["Projects"]["Created_Time"][spot] for spot in spots]


def _lines(draw: Draw, made: dict[str, Columns]) -> Columns:
    parents, moments = _children(draw, made)
    goods = draw.pick(GOODS)
    numbers: list[int] = []
    for place, parent in enumerate(parents):
        numbers.append(numbers[-1] + 1 if place and parents[place - 1] == parent else 1)
    return {
        "Parent_Id": parents, "Serial_Number": numbers, "Created_Time": moments, "Modified_Time": moments,
        "Item": [item for item, _, _ in goods], "Unit_Price": [price for _, price, _ in goods],
        "Quantity": [1 + int(draw.random.random() * most) for _, _, most in goods],
        "Category": draw.some(0.9, org.PRODUCTS),
        "Delivered_On": draw.some(0.6, ("2026-02-11", "2026-05-28", "2026-08-30")),
    }  # fmt: skip


def _links(draw: Draw, made: dict[str, Columns]) -> Columns:
    parents, moments = _children(draw, made)
    return {"Projects": parents, "Contacts": draw.pick(made["Contacts"]["id"]), "Created_Time": moments,
            "Modified_Time": moments, "Owner": draw.pick([person.id for person in SELLERS]),
            "Role": draw.some(0.8, ("Site manager", "Sponsor", "Electrician", "Bauleitung"))}  # fmt: skip
