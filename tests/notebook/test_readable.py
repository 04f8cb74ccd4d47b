"""What is shown can be read: contrast of errors, notes that are said once, tables and reports without puzzles."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest

from tests.support.ipython_shell import Shell, loaded_shell
from tests.support.push_env import hurry, leads
from zoho_magic.notebook.cards import push_card

ERROR_GROUNDS = {"light": ("#ffdddd", "#212121"), "dark": ("#501f1b", "#ffffff")}
"""JupyterLab: --jp-rendermime-error-background, and the colour of text on it where no escape sequence sets one."""

LAB_COLOURS = {31: "#e75c58", 32: "#00a250", 33: "#ddb62b", 34: "#208ffb", 35: "#d160c4", 36: "#60c6c8"}


def _luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _contrast(one: str, other: str) -> float:
    light, dark = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.fixture
def shell(monkeypatch: pytest.MonkeyPatch) -> Iterator[Shell]:
    hurry(monkeypatch)
    with loaded_shell() as opened:
        opened.run("%zoho_demo --rows 20")
        yield opened
        opened.run("%zoho_demo --stop")


@pytest.mark.parametrize("theme", ERROR_GROUNDS)
def test_errors_are_readable_on_jupyterlabs_ground(shell: Shell, theme: str) -> None:
    ground, text = ERROR_GROUNDS[theme]
    shell.failed("%zoho_pull Leeds")
    codes = [int(code) for found in re.findall(r"\x1b\[([\d;]*)m", shell.raw) for code in found.split(";") if code]
    assert codes, "the sentence stands out"
    assert all(_contrast(LAB_COLOURS.get(code, text), ground) >= 4.5 for code in codes)
    assert _contrast(LAB_COLOURS[31], ground) < 4.5, "red does not hold there"


def test_a_standing_note_is_said_once_for_each_module(shell: Shell) -> None:
    shell.run("first = %zoho_pull Leads")
    assert "--converted both brings them" in shell.shown
    shell.run("second = %zoho_pull Leads")
    assert "Converted" not in shell.shown
    assert shell.run("second.attrs['warnings'] == first.attrs['warnings']")


# The report of a push


def test_equal_causes_are_one_line_with_count_and_labels(shell: Shell, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    frame = leads(30).set_axis([f"r{n}" for n in range(30)])
    frame["Lead_Status"] = ["Contacte"] * 12 + ["Contacted"] * 17 + ["Contacted"]
    frame.loc["r29", "Last_Name"] = None
    shell.ip.user_ns["rows"] = frame
    report = shell.run("%zoho_push Leads rows --insert")
    text, html = repr(report), push_card(report)
    assert "12 rows: r0, r1, r2, r3, r4, r5, r6, r7, r8, r9 and 2 more" in " ".join(text.split())
    assert "'Contacte' is none of the choices: did you mean 'Contacted'?" in " ".join(text.split())
    assert "Row r29: failed MANDATORY_NOT_FOUND" in " ".join(text.split())
    assert max(map(len, text.splitlines())) <= 80
    assert "r15" not in text
    assert html.count("none of the choices") == 1
    assert "12 rows: r0, " in html


def test_messages_are_never_cut(shell: Shell) -> None:
    shell.ip.user_ns["rows"] = leads(2, Annual_Revenue="a lot of money")
    report = shell.run("%zoho_push Leads rows --insert")
    [message] = set(report["message"])
    assert "a lot of money" in message
    assert "..." not in repr(report.failed)
    assert "".join(message.split()).replace("'", "") in "".join(repr(report.failed).split()).replace("'", "")
    assert "..." not in (report.failed._repr_html_() or "")
    assert type(report.failed.head(1)) is pd.DataFrame
    assert report.failed.attrs == report.attrs


# Tables of metadata


def test_tables_of_metadata_are_readable_as_shown(shell: Shell) -> None:
    for line in ("%zoho_fields Leads", "%zoho_modules"):
        table = shell.run(line)
        for shown in (repr(table), table._repr_html_()):
            assert not re.search(r"NaN|(?<!-)None|<NA>|&lt;NA|\b\d+\.0\b|\[\]", shown), line
            assert all(str(name) in shown for name in table.iloc[:, 0]), "all rows"
        assert "..." not in table._repr_html_()
    assert str(table["creatable"].dtype) == "bool"


# A query in a file


@pytest.mark.parametrize(
    "cell", ["%%zoho_coql won --file {}", "%%zoho_coql won --file {}\n\n", "won = %zoho_coql --file {}"]
)
def test_a_query_is_read_from_a_file(shell: Shell, tmp_path: Path, cell: str) -> None:
    file = tmp_path / "report.coql"
    file.write_text("select Deal_Name, Stage\nfrom Deals where Stage = $stage limit 3")
    shell.run("stage = 'Closed Won'")
    shell.run(cell.format(file))
    assert set(shell.run("won")["Stage"]) == {"Closed Won"}


def test_a_query_file_that_does_not_do_says_why(shell: Shell, tmp_path: Path) -> None:
    assert "cannot be read: No such file" in shell.failed(f"%%zoho_coql --file {tmp_path / 'none.coql'}")
    (tmp_path / "a.coql").write_text("select id from Deals")
    assert "not both" in shell.failed(f"%%zoho_coql --file {tmp_path / 'a.coql'}\nselect id from Leads")


def test_a_profile_says_what_every_column_holds_and_what_it_cost(shell: Shell) -> None:
    found = shell.run("%zoho_profile Deals").set_index("column")
    assert "credit" in shell.shown
    deals = shell.run("import zoho_magic\nzoho_magic.get_session().pull('Deals')")
    assert list(found.index) == list(deals.columns)
    for name in deals.columns:
        assert found.loc[name, "fill_rate"] == round(deals[name].notna().mean(), 4)
    assert (found.loc["Amount", "minimum"], found.loc["Amount", "maximum"]) == (
        deals["Amount"].min(),
        deals["Amount"].max(),
    )
    count = deals["Stage"].value_counts().iloc[0]
    assert f"({count})" in found.loc["Stage", "top"][0]
    assert found.loc["Stage", "distinct"] == deals["Stage"].nunique()
