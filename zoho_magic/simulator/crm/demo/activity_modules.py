"""The demo org's events, calls and notes, and the history of its deals' stages."""

from __future__ import annotations

from ..schema import Field, Module
from .modules import DEALS, ID, LOCKED, MONEY, OWNER, STAGES, STAMPS, TAG

__all__ = ["CALLS", "CALL_RESULTS", "DEAL_HISTORY", "EVENTS", "NOTES", "RELATED"]

RELATED = ("Accounts", "Deals", "Leads", "Projects")  # what an activity may be about
CALL_RESULTS = ("Interested", "Not interested", "No response/Busy", "Requested more info", "Requested call back")
WHO = Field("Who_Id", "lookup", "Contact Name", targets=("Contacts",))
WHAT = Field("What_Id", "multi_module_lookup", "Related To", targets=RELATED)
TEXT = Field("Description", "textarea", length=32000)

EVENTS = Module("Events", "Event", display="Event_Title", scope="events", fields=(
    ID, OWNER, Field("Event_Title", label="Title", length=255, mandatory=True), Field("Venue", label="Location"),
    Field("Start_DateTime", "datetime", "From", mandatory=True),
    Field("End_DateTime", "datetime", "To", mandatory=True),
    Field("All_day", "boolean"), WHO, WHAT, Field("Recurring_Activity", "RRULE", "Repeat"),
    Field("Check_In_Status", "picklist", values=("PLANNED", "VISITED"), read_only=True), TEXT, TAG, *STAMPS, *MONEY,
    LOCKED,
))  # fmt: skip

CALLS = Module("Calls", "Call", display="Subject", scope="calls", fields=(
    ID, OWNER, Field("Subject", length=255, mandatory=True),
    Field("Call_Type", "picklist", values=("Outbound", "Inbound", "Missed"), mandatory=True),
    Field("Call_Start_Time", "datetime", mandatory=True), Field("Call_Duration", length=10, mandatory=True),
    Field("Call_Duration_in_seconds", "integer"), Field("Call_Result", "picklist", values=CALL_RESULTS),
    Field("Call_Purpose", "picklist", values=("Prospecting", "Administrative", "Negotiation", "Demo", "Project")),
    WHO, WHAT, Field("CTI_Entry", "boolean", read_only=True, coql=False), TEXT, TAG, *STAMPS, *MONEY, LOCKED,
))  # fmt: skip

NOTES = Module("Notes", "Note", display="Note_Title", scope="notes", bulk=False, fields=(
    ID, OWNER, Field("Note_Title", length=120), Field("Note_Content", "textarea", length=32000),
    Field("Parent_Id", "multi_module_lookup", "Parent ID", mandatory=True,
          targets=("Leads", "Accounts", "Contacts", "Deals", "Projects")),
    *STAMPS,
))  # fmt: skip

# One row a period that a deal spent in a stage: Modified_Time is when it entered, Moved_To__s is empty while it stays.
DEAL_HISTORY = Module(
    "DealHistory", "Stage History", kind="field_tracker", parent="Deals", display="Potential_Name", scope="deals",
    tracks="Stage", fields=(
        ID, Field("Potential_Name", "lookup", "Deal Name", targets=("Deals",), read_only=True),
        Field("Stage", "picklist", values=STAGES, read_only=True),
        Field("Moved_To__s", "picklist", "Moved To", values=STAGES, read_only=True),
        Field("Stage_Duration_Calendar_Days", "integer", "Stage Duration (Calendar Days)", read_only=True),
        Field("Amount", "currency", read_only=True), Field("Probability", "integer", read_only=True),
        Field("Expected_Revenue", "currency", read_only=True), Field("Closing_Date", "date", read_only=True),
        *(each for each in DEALS.fields if each.name in ("Modified_By", "Modified_Time", "Currency", "Exchange_Rate")),
    ),
)  # fmt: skip
