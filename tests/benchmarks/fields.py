"""The twenty fields of a lead that every contestant asks for."""

FIELDS = [
    "Last_Name",
    "First_Name",
    "Email",
    "Phone",
    "Mobile",
    "Company",
    "Website",
    "Lead_Source",
    "Lead_Status",
    "Industry",
    "Annual_Revenue",
    "No_of_Employees",
    "Rating",
    "Email_Opt_Out",
    "City",
    "Country",
    "Owner",
    "Created_Time",
    "Modified_Time",
    "Description",
]
