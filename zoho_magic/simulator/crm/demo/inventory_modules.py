"""The demo org's products, and quotes with their line items."""

from __future__ import annotations

from ..schema import Field, Module, Rollup
from .modules import ID, LOCKED, MONEY, OWNER, STAMPS, TAG, address, custom

__all__ = ["PRODUCTS", "QUOTED_ITEMS", "QUOTES", "QUOTE_STAGES"]

QUOTE_STAGES = ("Draft", "Negotiation", "Delivered", "On Hold", "Confirmed", "Closed Won", "Closed Lost")
TEXT = Field("Description", "textarea", length=32000)

PRODUCTS = Module("Products", "Product", display="Product_Name", scope="products", upsert_on="Product_Code", fields=(
    ID, OWNER, Field("Product_Name", length=200, mandatory=True), Field("Product_Code", length=40, unique=True),
    Field("Product_Active", "boolean"),
    Field("Product_Category", "picklist", values=("hw", "svc", "sw"), labels=("Hardware", "Services", "Software")),
    Field("Unit_Price", "currency"), Field("Qty_in_Stock", "double", "Quantity in Stock"),
    Field("Manufacturer", "picklist", values=("AltaVolt", "SunForge", "Northbeam")),
    Field("Sales_Start_Date", "date"), Field("Tax", "multiselectpicklist", values=("VAT", "Sales Tax", "Import Duty")),
    Field("Taxable", "boolean"), TEXT, TAG, *STAMPS, *MONEY, LOCKED,
    custom("Order", "integer", label="Order in Catalogue"), custom("External", label="External Reference"),
))  # fmt: skip

QUOTES = Module("Quotes", "Quote", display="Subject", scope="quotes", upsert_on="Subject", fields=(
    ID, OWNER, Field("Subject", length=100, mandatory=True), Field("Quote_Number", "autonumber", prefix="QT-"),
    Field("Quote_Stage", "picklist", values=QUOTE_STAGES), Field("Valid_Till", "date"),
    Field("Deal_Name", "lookup", targets=("Deals",)), Field("Account_Name", "lookup", targets=("Accounts",)),
    Field("Contact_Name", "lookup", targets=("Contacts",)),
    Field("Quoted_Items", "subform", targets=("Quoted_Items",)),
    Field("Sub_Total", "currency", read_only=True,
          rollup=Rollup("Quoted_Items", "Parent_Id", "round(sum(Net_Total), 2)")),
    Field("Adjustment", "currency"),
    Field("Grand_Total", "currency", formula="round(coalesce(Sub_Total, 0) + coalesce(Adjustment, 0), 2)"),
    *address("Billing"), Field("Terms_and_Conditions", "textarea", length=32000), TEXT, TAG, *STAMPS, *MONEY, LOCKED,
))  # fmt: skip

QUOTED_ITEMS = Module(
    "Quoted_Items", "Quoted Item", kind="subform", parent="Quotes", display="Description", scope="quotes", fields=(
        ID, Field("Parent_Id", "lookup", targets=("Quotes",)),
        Field("Sequence_Number", "integer", "S.NO", read_only=True),
        Field("Product_Name", "lookup", targets=("Products",), mandatory=True), Field("Quantity", "double"),
        Field("List_Price", "currency"), Field("Discount", "currency"),
        Field("Total", "currency", "Amount", formula="round(Quantity * List_Price, 2)"),
        Field("Net_Total", "currency", "Total",
              formula="round(Quantity * List_Price - coalesce(Discount, 0), 2)"),
        Field("Description", "textarea", length=2000),
        Field("Created_Time", "datetime", read_only=True), Field("Modified_Time", "datetime", read_only=True),
    ),
)  # fmt: skip
