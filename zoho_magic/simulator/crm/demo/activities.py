"""The demo org's events, calls, notes and stage history."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from .activity_modules import CALL_RESULTS
from .columns import DAY, UNTIL, Columns, Draw, day_of, stamps, tags
from .modules import CHANCES, STAGES
from .people import SELLERS
from .vocabulary import descriptions

__all__ = ["calls", "deal_history", "events", "notes"]

TITLES = (
    "Site visit",
    "Kick-off",
    "Roof survey",
    "Vertragsgespräch",
    "見積もり説明",
    "Quarterly review",
    "Demo: storage",
)
VENUES = ("Customer site", "Online", "Office Berlin", "Sacramento HQ", None)
RULES = ("FREQ=WEEKLY;INTERVAL=1;BYDAY=MO", "FREQ=DAILY", "FREQ=MONTHLY;INTERVAL=3;BYMONTHDAY=1")
SUBJECTS = ("Intro call", "Price question", "Rückruf", "Permit status", "Complaint: inverter noise", "Renewal")


def _owned(draw: Draw) -> Columns:
    return stamps(draw, draw.pick([person.id for person in SELLERS]))


def _related(draw: Draw, made: dict[str, Columns], weights: dict[str, float], name: str) -> Columns:
    """A multi-module lookup: which module, and a record of it."""
    modules = draw.pick((*weights, None), (*weights.values(), 10))
    spin = draw.random.random
    pools = {each: made[each]["id"] for each in weights}
    return {
        f"{name}$module": modules,
        name: [pools[each][int(spin() * len(pools[each]))] if each and pools[each] else None for each in modules],
    }


def events(draw: Draw, made: dict[str, Columns]) -> Columns:
    """Meetings about deals, accounts and leads, some of them repeating."""
    columns = _owned(draw)
    begin = [moment + days * DAY for moment, days in zip(columns["Created_Time"], draw.whole(1, 30), strict=True)]
    begin = [moment - moment % 900 for moment in begin]
    length = draw.pick((1800, 3600, 5400, 7200))
    return columns | _related(draw, made, {"Deals": 45, "Accounts": 25, "Leads": 20}, "What_Id") | {
        "Event_Title": draw.pick(TITLES), "Venue": draw.pick(VENUES), "Start_DateTime": begin,
        "End_DateTime": [moment + seconds for moment, seconds in zip(begin, length, strict=True)],
        "All_day": draw.flags(0.06), "Who_Id": draw.some(0.7, made["Contacts"]["id"]),
        "Recurring_Activity": draw.some(0.08, RULES), "Check_In_Status": draw.pick(("PLANNED", "VISITED")),
        "Description": draw.pick(descriptions(draw.random), (70, *([3] * 11))), "Tag": tags(draw),
        "Locked__s": [0] * draw.amount,
    }  # fmt: skip


def calls(draw: Draw, made: dict[str, Columns]) -> Columns:
    """Phone calls with how long they took, as text and in seconds."""
    columns = _owned(draw)
    kinds = draw.pick(("Outbound", "Inbound", "Missed"), (60, 30, 10))
    talk = draw.skewed(240, 0.9, 1)
    seconds = [0 if kind == "Missed" else amount for kind, amount in zip(kinds, talk, strict=True)]
    return columns | _related(draw, made, {"Leads": 40, "Deals": 35, "Accounts": 15}, "What_Id") | {
        "Subject": draw.pick(SUBJECTS), "Call_Type": kinds, "Call_Start_Time": columns["Created_Time"],
        "Call_Duration": [f"{each // 60:02d}:{each % 60:02d}" for each in seconds],
        "Call_Duration_in_seconds": seconds, "Call_Result": draw.some(0.7, CALL_RESULTS),
        "Call_Purpose": draw.some(0.8, ("Prospecting", "Administrative", "Negotiation", "Demo", "Project")),
        "Who_Id": draw.some(0.6, made["Contacts"]["id"]), "CTI_Entry": draw.flags(0.2),
        "Description": draw.pick(descriptions(draw.random), (70, *([3] * 11))), "Tag": tags(draw),
        "Locked__s": [0] * draw.amount,
    }  # fmt: skip


def notes(draw: Draw, made: dict[str, Columns]) -> Columns:
    """What sellers wrote down beside leads, accounts, contacts, deals and projects."""
    weights = {"Leads": 35, "Deals": 30, "Accounts": 15, "Contacts": 15, "Projects": 5}
    weights = {name: weight for name, weight in weights.items() if made[name]["id"]}
    modules = draw.pick(tuple(weights), tuple(weights.values()))
    parents = [made[name]["id"][int(draw.random.random() * len(made[name]["id"]))] for name in modules]
    return _owned(draw) | {
        "Note_Title": draw.some(0.6, ("Call", "Besuch", "Next steps", "電話メモ")), "Parent_Id$module": modules,
        "Parent_Id": parents, "Note_Content": draw.pick(descriptions(draw.random)[1:]),
    }  # fmt: skip


def deal_history(draw: Draw, made: dict[str, Columns]) -> Columns:
    """Every period a deal spent in a stage: the path to where it is now, and the days each step took."""
    deals = made["Deals"]
    names = ("id", "Stage", "Created_Time", "Modified_Time", "Amount", "Closing_Date", "Currency", "Exchange_Rate",
             "Owner")  # fmt: skip
    rows: list[dict[str, Any]] = []
    for values in zip(*(deals[name] for name in names), strict=True):
        rows += _periods(draw, dict(zip(names, values, strict=True)))
    rows.sort(key=lambda row: row["Modified_Time"])
    orphans = draw.random.sample(range(len(rows)), len(rows) // 25)
    for spot in orphans:  # of deals that were deleted
        rows[spot]["Potential_Name"] = None
    return {name: [row[name] for row in rows] for name in rows[0]}


def _periods(draw: Draw, deal: dict[str, Any]) -> list[dict[str, Any]]:
    path = _path(draw, deal["Stage"])
    begin, end = deal["Created_Time"], max(deal["Created_Time"] + DAY, deal["Modified_Time"])
    moments = [begin, *sorted(int(begin + (end - begin) * draw.random.random()) for _ in path[1:])]
    ends = [*moments[1:], int(UNTIL.timestamp())]
    return [
        {"Potential_Name": deal["id"], "Stage": stage, "Moved_To__s": following, "Modified_Time": moment,
         "Stage_Duration_Calendar_Days": (until - moment) // DAY if following else None,
         "Amount": deal["Amount"], "Probability": CHANCES[stage], "Modified_By": deal["Owner"],
         "Expected_Revenue": None if deal["Amount"] is None else round(deal["Amount"] * CHANCES[stage] / 100, 2),
         "Closing_Date": max(deal["Closing_Date"], day_of(moment)), "Currency": deal["Currency"],
         "Exchange_Rate": deal["Exchange_Rate"]}
        for stage, following, moment, until in zip(path, [*path[1:], None], moments, ends, strict=True)
    ]  # fmt: skip


def _path(draw: Draw, stage: str) -> Sequence[str]:
    """The stages up to this one; a closed deal went through some of the open ones."""
    place = STAGES.index(stage)
    if place < 6:
        return STAGES[: place + 1]
    return (*STAGES[: 1 + int(draw.random.random() * 6)], stage)
