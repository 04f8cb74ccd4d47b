"""The demo org's sales modules, its projects, and their fields."""

from __future__ import annotations

from ..schema import Field, Link, Module, Rollup

__all__ = [
    "ACCOUNTS",
    "CHANCES",
    "CLOSED_TO_API",
    "CONTACTS",
    "DEALS",
    "LEADS",
    "LINES",
    "LINKS",
    "PROJECTS",
    "TASKS",
    "address",
    "custom",
]

SOURCES = ("Web Download", "Trade Show", "Partner", "External Referral", "Employee Referral", "Cold Call",
           "Advertisement", "Webinar", "Chat", "X (Twitter)")  # fmt: skip
INDUSTRIES = ("Manufacturing", "Utilities", "Construction", "Real Estate", "Agriculture", "Logistics", "Retail",
              "Healthcare", "Hospitality", "Government", "Data/Telecom OEM", "Education")  # fmt: skip
LEAD_STATUS = ("Not Contacted", "Attempted to Contact", "Contacted", "Contact in Future", "Pre-Qualified",
               "Not Qualified", "Lost Lead", "Junk Lead")  # fmt: skip
STAGES = ("Qualification", "Needs Analysis", "Value Proposition", "Identify Decision Makers",
          "Proposal/Price Quote", "Negotiation/Review", "Closed Won", "Closed Lost",
          "Closed Lost to Competition")  # fmt: skip
CHANCES = dict(zip(STAGES, (10, 20, 40, 60, 75, 90, 100, 0, 0), strict=True))
PRODUCTS = ("Rooftop PV", "Ground mount", "Inverters", "Storage, residential", "Storage, commercial", "EV charging",
            "Monitoring", "R&D; prototypes")  # fmt: skip
TASK_STATUS = ("Not Started", "Deferred", "In Progress", "Completed", "Waiting for input")
RATINGS = ("Acquired", "Active", "Market Failed", "Project Cancelled", "Shut Down")
PHASES = ("Survey", "Permits", "Design", "Installation", "Commissioning", "Handover")
CURRENCIES = ("USD", "EUR", "GBP", "CAD")
SALUTATIONS = ("Mr.", "Mrs.", "Ms.", "Dr.", "Prof.")

ID = Field("id", "bigint", "Record Id", read_only=True)
OWNER = Field("Owner", "ownerlookup")
STAMPS = (
    Field("Created_By", "ownerlookup", read_only=True), Field("Modified_By", "ownerlookup", read_only=True),
    Field("Created_Time", "datetime", read_only=True), Field("Modified_Time", "datetime", read_only=True),
)  # fmt: skip
ACTIVITY = Field("Last_Activity_Time", "datetime", read_only=True)
MONEY = (Field("Currency", "picklist", values=CURRENCIES), Field("Exchange_Rate", "double", length=20))
TAG = Field("Tag", "text", many=True, length=2000)
LOCKED = Field("Locked__s", "boolean", "Locked", read_only=True)
RECORD_STATUS = Field("Record_Status__s", "picklist", "Record Status", read_only=True,
                      values=("Available", "Draft", "Trash"))  # fmt: skip


def custom(name: str, kind: str = "text", **more: object) -> Field:
    """A field an administrator of the org has added."""
    return Field(name, kind, custom=True, **more)  # type: ignore[arg-type]


def address(prefix: str) -> tuple[Field, ...]:
    """The five fields of an address."""
    parts = ("Street", "City", "State", "Zip", "Country")
    return tuple(Field(f"{prefix}_{part}") for part in parts)


FULL_NAME = Field("Full_Name", "text", read_only=True, length=80,
                  formula="trim(coalesce(First_Name, '') || ' ' || coalesce(Last_Name, ''))")  # fmt: skip

LEADS = Module("Leads", "Lead", display="Full_Name", scope="leads", upsert_on="Email", fields=(
    ID, OWNER, Field("Company", length=200), Field("Salutation", "picklist", values=SALUTATIONS),
    Field("First_Name", length=40), Field("Last_Name", length=80, mandatory=True), FULL_NAME,
    Field("Designation", label="Title", length=100), Field("Email", "email", unique=True),
    Field("Secondary_Email", "email"), Field("Phone", "phone"), Field("Mobile", "phone"), Field("Fax", "phone"),
    Field("Website", "website"), Field("Lead_Source", "picklist", values=SOURCES),
    Field("Lead_Status", "picklist", values=LEAD_STATUS), Field("Industry", "picklist", values=INDUSTRIES),
    Field("Rating", "picklist", values=RATINGS), Field("No_of_Employees", "integer"),
    Field("Annual_Revenue", "currency"), Field("Skype_ID", length=50), Field("Twitter", length=50),
    Field("Street", length=250), Field("City", length=100), Field("State", length=100), Field("Zip_Code", length=30),
    Field("Country", length=100), Field("Description", "textarea", length=32000),
    Field("Email_Opt_Out", "boolean"), TAG, *STAMPS, ACTIVITY, *MONEY,
    Field("Converted__s", "boolean", "Is Converted", read_only=True),
    Field("Converted_Date_Time", "datetime", read_only=True),
    Field("Converted_Account", "lookup", targets=("Accounts",), read_only=True),
    Field("Converted_Contact", "lookup", targets=("Contacts",), read_only=True),
    Field("Converted_Deal", "lookup", targets=("Deals",), read_only=True),
    Field("Lead_Conversion_Time", "integer", read_only=True),
    Field("Unsubscribed_Mode", "picklist", values=("Consent form", "Manual", "Unsubscribe link"), read_only=True),
    Field("Unsubscribed_Time", "datetime", read_only=True), LOCKED, RECORD_STATUS,
    custom("Lead_Score", "integer"), custom("Products_Interested", "multiselectpicklist", values=PRODUCTS),
    custom("Budget", "currency"), custom("Discount_Expected", "percent"), custom("Next_Follow_Up", "datetime"),
    custom("Date_of_Birth", "date"), custom("Contract_End", "date"), custom("Account_Manager", "userlookup"),
    custom("Reference_Number", "autonumber", prefix="NB-"), custom("Tax_Number", "bigint"),
    custom("Roof_Tilt", "double"), custom("Calibration", "double"),
    custom("Weighted_Budget", "formula", returns="currency", formula="round(Budget * Lead_Score / 100.0, 2)"),
    custom("Is_Hot", "formula", returns="boolean", formula="coalesce(Lead_Score >= 80, 0)"),
    custom("Age_Band", "formula", returns="text",
           formula="CASE WHEN Date_of_Birth IS NULL THEN NULL WHEN Date_of_Birth < '1980-01-01' THEN 'senior' "
                   "ELSE 'junior' END"),
    custom("Referred_By", "lookup", targets=("Contacts",)), custom("Consent_Given", "boolean"),
    custom("Site_Plans", "fileupload"), custom("Internal_Notes", "textarea"), custom("LinkedIn", "website"),
    custom("Legacy_Code"), custom("Headcount_Forecast", "integer"), custom("Last_Audit", "date"),
))  # fmt: skip

ACCOUNTS = Module("Accounts", "Account", display="Account_Name", scope="accounts", upsert_on="Account_Name", fields=(
    ID, OWNER, Field("Account_Name", length=200, mandatory=True, unique=True),
    Field("Account_Number", length=40), Field("Account_Type", "picklist", values=(
        "Customer", "Prospect", "Partner", "Distributor", "Supplier")),
    Field("Industry", "picklist", values=INDUSTRIES), Field("Rating", "picklist", values=RATINGS),
    Field("Parent_Account", "lookup", targets=("Accounts",)), Field("Phone", "phone"), Field("Website", "website"),
    Field("Employees", "integer"), Field("Annual_Revenue", "currency"), *address("Billing"), *address("Shipping"),
    Field("Description", "textarea", length=32000), TAG, *STAMPS, ACTIVITY, *MONEY, LOCKED,
    custom("Won_Amount", "rollup_summary", returns="currency",
           rollup=Rollup("Deals", "Account_Name", "sum(Amount)", "Stage = 'Closed Won'")),
    custom("Open_Deals", "rollup_summary", returns="integer",
           rollup=Rollup("Deals", "Account_Name", "count(*)", "Stage NOT LIKE 'Closed%'")),
    custom("Revenue_per_Head", "formula", returns="double",
           formula="round(Annual_Revenue * 1.0 / nullif(Employees, 0), 2)"),
))  # fmt: skip

CONTACTS = Module("Contacts", "Contact", display="Full_Name", scope="contacts", upsert_on="Email", fields=(
    ID, OWNER, Field("Salutation", "picklist", values=SALUTATIONS), Field("First_Name", length=40),
    Field("Last_Name", length=80, mandatory=True), FULL_NAME,
    Field("Account_Name", "lookup", targets=("Accounts",)), Field("Email", "email", unique=True),
    Field("Secondary_Email", "email"), Field("Phone", "phone"), Field("Mobile", "phone"),
    Field("Title", length=100), Field("Department", length=50), Field("Reporting_To", "lookup", targets=("Contacts",)),
    Field("Lead_Source", "picklist", values=SOURCES), Field("Date_of_Birth", "date"),
    Field("Email_Opt_Out", "boolean"), *address("Mailing"), Field("Description", "textarea", length=32000), TAG,
    *STAMPS, ACTIVITY, *MONEY, LOCKED,
    custom("Languages", "multiselectpicklist", values=("English", "Français", "Deutsch", "Español", "日本語", "हिन्दी")),
))  # fmt: skip

DEALS = Module("Deals", "Deal", display="Deal_Name", scope="deals", upsert_on="Deal_Name", fields=(
    ID, OWNER, Field("Deal_Name", length=120, mandatory=True),
    Field("Account_Name", "lookup", targets=("Accounts",)), Field("Contact_Name", "lookup", targets=("Contacts",)),
    Field("Amount", "currency"), Field("Closing_Date", "date"),
    Field("Stage", "picklist", values=STAGES, mandatory=True), Field("Probability", "integer"),
    Field("Pipeline", "picklist", values=("Standard", "Service")),
    Field("Expected_Revenue", "formula", returns="currency", formula="round(Amount * Probability / 100.0, 2)"),
    Field("Type", "picklist", values=("New Business", "Existing Business")), Field("Next_Step", length=100),
    Field("Lead_Source", "picklist", values=SOURCES), Field("Reason_For_Loss__s", "picklist", values=(
        "Price", "Competition", "No budget", "No decision", "Timing"), label="Reason For Loss"),
    Field("Description", "textarea", length=32000), TAG, *STAMPS, ACTIVITY, *MONEY,
    Field("Sales_Cycle_Duration", "integer", read_only=True), Field("Lead_Conversion_Time", "integer", read_only=True),
    LOCKED, custom("Capacity_kWp", "double"), custom("Discount", "percent"),
    custom("Competitors", "multiselectpicklist", values=("Helios AG", "SunForge", "Tata Power", "In-house")),
    custom("Signed_At", "datetime"), custom("Second_Seller", "userlookup"),
))  # fmt: skip

TASKS = Module("Tasks", "Task", display="Subject", scope="tasks", upsert_on="Subject", fields=(
    ID, OWNER, Field("Subject", length=255, mandatory=True), Field("Due_Date", "date"),
    Field("Status", "picklist", values=TASK_STATUS),
    Field("Priority", "picklist", values=("High", "Highest", "Low", "Lowest", "Normal")),
    Field("Who_Id", "lookup", "Contact Name", targets=("Contacts",)),
    Field("What_Id", "multi_module_lookup", "Related To", targets=("Accounts", "Deals", "Leads", "Projects")),
    Field("Closed_Time", "datetime", read_only=True), Field("Send_Notification_Email", "boolean"),
    Field("Description", "textarea", length=32000), TAG, *STAMPS, *MONEY, LOCKED,
    custom("Minutes_Spent", "integer"),
))  # fmt: skip

PROJECTS = Module("Projects", "Project", kind="custom", scope="custom", upsert_on="Name", fields=(
    ID, OWNER, Field("Name", length=120, mandatory=True, label="Project Name"),
    custom("Project_Code", unique=True, length=40), custom("Deal", "lookup", targets=("Deals",)),
    custom("Account", "lookup", targets=("Accounts",)), custom("Phase", "picklist", values=PHASES),
    custom("Start_Date", "date"), custom("Go_Live", "datetime"), custom("Budget", "currency"),
    custom("Completion", "percent"), custom("On_Hold", "boolean"), custom("Grid_Operator_Id", "bigint"),
    custom("Number", "autonumber", prefix="PRJ-"), custom("Site_Manager", "userlookup"),
    custom("Components", "multiselectpicklist", values=PRODUCTS), custom("Permit", "fileupload"),
    custom("Lines_Total", "rollup_summary", returns="currency",
           rollup=Rollup("Project_Lines", "Parent_Id", "sum(Line_Total)")),
    custom("Line_Items", "subform", targets=("Project_Lines",)),
    custom("Team", "multiselectlookup", targets=("Contacts",),
           link=Link("Projects_X_Contacts", "Projects", "Contacts")),
    TAG, *STAMPS, ACTIVITY, *MONEY, LOCKED,
))  # fmt: skip

LINES = Module("Project_Lines", "Line Item", kind="subform", parent="Projects", display="Item", scope="custom", fields=(
    ID, custom("Parent_Id", "lookup", targets=("Projects",)), custom("Serial_Number", "integer", read_only=True),
    custom("Item", length=120, mandatory=True), custom("Quantity", "integer"), custom("Unit_Price", "currency"),
    custom("Category", "picklist", values=PRODUCTS), custom("Delivered_On", "date"),
    custom("Line_Total", "formula", returns="currency", formula="round(Quantity * Unit_Price, 2)"),
    Field("Created_Time", "datetime", read_only=True), Field("Modified_Time", "datetime", read_only=True),
))  # fmt: skip

LINKS = Module("Projects_X_Contacts", "Project Contact", kind="linking", display="Role", scope="custom", fields=(
    ID, OWNER, custom("Projects", "lookup", targets=("Projects",)),
    custom("Contacts", "lookup", targets=("Contacts",)), custom("Role", length=60),
    Field("Created_Time", "datetime", read_only=True), Field("Modified_Time", "datetime", read_only=True),
))  # fmt: skip

CLOSED_TO_API = (
    Module("Home", "Home", kind="web", api=False), Module("Visits", "Visit", kind="default", api=False),
    Module("Actions_Performed", "Action Performed", kind="default", api=False),
)  # fmt: skip
