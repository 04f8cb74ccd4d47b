"""`python -m docs_site.pictures`: drive JupyterLab in Chromium on the simulator, and write docs/pictures/.

No picture of the site is made by hand. Each scene is taken in the light and in the dark theme.
"""

from __future__ import annotations

import io
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image

from tests.e2e.lab import THEMES, Lab, Notebook
from zoho_magic.simulator import Simulator

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
RECORDING_WIDTH = 840
LOAD = "%load_ext zoho_magic\n%zoho_demo"
PULL = (
    'deals = %zoho_pull Deals --fields Deal_Name Stage Amount Closing_Date Owner --where "Amount > 20000"\ndeals.head()'
)
CHART = (
    'open_deals = deals[~deals["Stage"].str.startswith("Closed")]\n'
    'by_stage = open_deals.groupby("Stage")["Amount"].sum().sort_values()\n'
    'by_stage.div(1e6).plot.barh(title="Pipeline by stage", xlabel="million", ylabel="", figsize=(7, 2.8));'
)
EXPLAIN = "%zoho_pull Leads --explain"
PUSH = (
    'rows = [{"Last_Name": "Ngata", "Company": "Harbour Ltd", "Email": "m.ngata@example.com"},\n'
    '        {"Last_Name": "Quist", "Company": "Aurora AB", "Email": "not an address"}]\n'
    "%zoho_push Leads rows --upsert --on Email"
)


def main() -> None:
    """Write every picture, and the recording."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, Lab(Path(folder)) as lab:
        for theme in THEMES:
            _form(lab, theme)
            _work(lab, theme)
        _recording(lab)


def _form(lab: Lab, theme: str) -> None:
    """The setup form, before anything is typed and once it is connected."""
    with Simulator(rows=20) as simulator:
        env = f"ZOHO_ACCOUNTS_URL={simulator.url}\nZOHO_API_URL={simulator.url}\n"
        cell = "%load_ext zoho_magic\n%zoho_setup"
        with lab.notebook(f"form-{theme}", cell, theme=theme, env=env) as notebook:
            form = notebook.run(0).locator(".zoho-setup")
            form.get_by_label("Client id").fill(simulator.client_id)
            form.get_by_label("Client secret").fill(simulator.client_secret)
            form.get_by_label("Grant code").fill(simulator.grant_code())
            _keep(form, f"form-{theme}")


def _work(lab: Lab, theme: str) -> None:
    """Status card, frame, chart, plan and report."""
    names = ("card", "frame", "chart", "plan", "report")
    cells = (LOAD, PULL, CHART, EXPLAIN, PUSH)
    with lab.notebook(f"work-{theme}", *cells, theme=theme) as notebook:
        for number, name in enumerate(names):
            _finished(notebook, number)
            _keep(notebook.cell(number), f"{name}-{theme}")


def _finished(notebook: Notebook, number: int) -> None:
    from playwright.sync_api import expect

    notebook.run(number)
    expect(notebook.cell(number).locator(".jp-InputPrompt")).to_contain_text(str(number + 1), timeout=60_000)
    notebook.page.mouse.move(0, 0)


def _keep(what: Any, name: str) -> None:
    image = Image.open(io.BytesIO(what.screenshot())).convert("RGB")
    image.save(FOLDER / f"{name}.webp", lossless=True, quality=90, method=6)


@dataclass
class Recording:
    """Pictures of the notebook one after the other, each with its time on the screen."""

    notebook: Notebook
    images: list[Image.Image] = field(default_factory=list)
    milliseconds: list[int] = field(default_factory=list)

    def frame(self, milliseconds: int) -> None:
        """Take a picture that stays so long."""
        image = Image.open(io.BytesIO(self.notebook.panel.screenshot())).convert("RGB")
        height = round(image.height * RECORDING_WIDTH / image.width)
        self.images.append(image.resize((RECORDING_WIDTH, height)))
        self.milliseconds.append(milliseconds)

    def type(self, number: int, text: str) -> None:
        """Type a cell's text some letters at a time, then run it."""
        self.notebook.cell(number).locator(".cm-content").click()
        for chunk in _chunks(text, 9):
            self.notebook.page.keyboard.insert_text(chunk)
            self.frame(120)
        _finished(self.notebook, number)
        self.frame(1_800)

    def save(self, path: Path) -> None:
        """Write an animated WebP that repeats for ever."""
        first, *others = self.images
        first.save(path, save_all=True, append_images=others, duration=self.milliseconds, loop=0, quality=60, method=6)


def _recording(lab: Lab) -> None:
    """From an empty notebook to a frame, a chart and a report."""
    with lab.notebook("recording", *[""] * 4) as notebook:
        notebook.page.set_viewport_size({"width": 1000, "height": 780})
        notebook.page.keyboard.press("Control+b")  # the file browser away
        recording = Recording(notebook)
        recording.frame(600)
        for number, text in enumerate((LOAD, PULL, CHART, PUSH)):
            recording.type(number, text)
            notebook.cell(number + 1).scroll_into_view_if_needed()
        recording.frame(2_500)
        recording.save(FOLDER / "recording.webp")


def _chunks(text: str, size: int) -> Iterator[str]:
    return (text[at : at + size] for at in range(0, len(text), size))


if __name__ == "__main__":
    main()
