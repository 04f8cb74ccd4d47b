"""JupyterLab in headless Chromium, as a person has it: a server, a browser, notebooks with a form in them."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from types import TracebackType
from typing import Any

import nbformat
from nbformat.v4 import new_code_cell, new_notebook

ARTIFACTS = Path(__file__).parents[2] / "artifacts"
THEMES = {"light": "JupyterLab Light", "dark": "JupyterLab Dark"}
_NEEDED = ("PATH", "PYTHONPATH", "LANG", "LC_ALL", "TMPDIR", "VIRTUAL_ENV", "SYSTEMROOT")
_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
]


def chromium() -> str | None:
    """Debian's Chromium, or another one on the PATH."""
    return next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)


def lacking() -> str:
    """What these tests need and this machine does not have; "" when it is all there."""
    modules = [name for name in ("jupyterlab", "playwright") if find_spec(name) is None]
    return ", ".join([*modules, *([] if chromium() else ["Chromium"])])


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """An environment with a home of its own and little else: what a kernel shows of it should be nobody's business."""
    kept = {name: os.environ[name] for name in _NEEDED if name in os.environ}
    places = {
        "HOME": home,
        "JUPYTER_CONFIG_DIR": home / "cfg",
        "JUPYTER_DATA_DIR": home / "data",
        "JUPYTER_RUNTIME_DIR": home / "run",
        "IPYTHONDIR": home / "ipy",
        "JUPYTERLAB_WORKSPACES_DIR": home / "ws",
        "JUPYTERLAB_SETTINGS_DIR": home / "set",
    }
    return {**kept, **{name: str(place) for name, place in places.items()}, **more}


class Lab:
    """A JupyterLab server and a browser; everything either of them writes is under `home`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        self.files = home / "nb"
        self.files.mkdir(parents=True)
        self._put("cfg/labconfig/page_config.json", {"disabledExtensions": {_NEWS: True}})
        # The worst case for a secret, on purpose: widget state is saved with every notebook.
        self._put("set/@jupyter-widgets/jupyterlab-manager/plugin.jupyterlab-settings", {"saveState": True})
        self._port = _free_port()
        self.url = f"http://127.0.0.1:{self._port}"

    def __enter__(self) -> Lab:
        from playwright.sync_api import sync_playwright

        self._log = (self.home / "lab.log").open("wb")
        self._server = subprocess.Popen(
            [sys.executable, "-m", "jupyterlab", *self._settings()],
            env=clean_environment(self.home),
            stdout=self._log,
            stderr=subprocess.STDOUT,
        )
        self._playwright = sync_playwright().start()
        self.browser = self._playwright.chromium.launch(executable_path=chromium(), args=_FLAGS, headless=True)
        self._wait_for_server()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.browser.close()
        self._playwright.stop()
        self._server.terminate()
        self._server.wait(20)
        self._log.close()

    @contextmanager
    def notebook(self, name: str, *cells: str, theme: str = "light", env: str = "") -> Iterator[Notebook]:
        """A notebook open in a page of its own, its kernel idle; `env` is the text of the `.env` beside it."""
        folder = self.files / name
        folder.mkdir()
        (folder / ".env").write_text(env, encoding="utf-8")
        nbformat.write(new_notebook(cells=[*map(new_code_cell, cells)], metadata=_PYTHON), folder / "form.ipynb")
        self._put("set/@jupyterlab/apputils-extension/themes.jupyterlab-settings", {"theme": THEMES[theme]})
        context = self.browser.new_context(
            viewport={"width": 1200, "height": 1000}, permissions=["clipboard-read", "clipboard-write"]
        )
        try:
            yield Notebook(context.new_page(), f"{self.url}/lab/tree/{name}/form.ipynb?reset", folder / "form.ipynb")
        finally:
            context.close()

    def _settings(self) -> list[str]:
        server = {"port_retries": 0, "password": "", "root_dir": self.files}
        plain = ["--no-browser", "--allow-root", "--ip=127.0.0.1", f"--port={self._port}", "--debug"]
        return [*plain, "--IdentityProvider.token=", *(f"--ServerApp.{name}={value}" for name, value in server.items())]

    def _put(self, where: str, what: dict[str, Any]) -> None:
        path = self.home / where
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(what), encoding="utf-8")

    def _wait_for_server(self) -> None:
        deadline = time.monotonic() + 60
        while not self._answers():
            assert self._server.poll() is None, (self.home / "lab.log").read_text()
            assert time.monotonic() < deadline, "JupyterLab did not start"
            time.sleep(0.1)

    def _answers(self) -> bool:
        try:
            with urllib.request.urlopen(self.url + "/api/status", timeout=5):
                return True
        except OSError:
            return False


class Notebook:
    """An open notebook: run its cells, use its widgets, save it."""

    def __init__(self, page: Any, url: str, path: Path) -> None:
        from playwright.sync_api import expect

        self.page, self.path = page, path
        self.frames: list[str] = []
        page.on("websocket", self._listen)
        page.goto(url)
        self.panel = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        self.cell(0).locator(".cm-content").wait_for(timeout=60_000)
        # The notebook's own indicator reads "idle" before a kernel exists, and a cell run then is lost.
        expect(page.locator("#jp-main-statusbar")).to_contain_text("(ipykernel) | Idle", timeout=60_000)

    def cell(self, number: int) -> Any:
        """A code cell."""
        return self.panel.locator(".jp-CodeCell").nth(number)

    def run(self, number: int) -> Any:
        """Run a cell; its output area."""
        self.cell(number).locator(".cm-content").click()
        self.page.keyboard.press("Shift+Enter")
        output = self.cell(number).locator(".jp-OutputArea")
        output.locator(".jp-OutputArea-output:not(.lm-mod-hidden)").first.wait_for(timeout=60_000)
        return output

    @property
    def checkpoint(self) -> Path:
        """The copy that JupyterLab makes of a notebook as it is saved by hand."""
        return self.path.parent / ".ipynb_checkpoints" / f"{self.path.stem}-checkpoint.ipynb"

    def save(self) -> str:
        """Save with the toolbar's button (Ctrl+S is lost while a widget has the focus); the text of the file."""
        before = self.path.stat().st_mtime_ns
        self.panel.locator("[data-jp-item-name=save] jp-button").click()
        deadline = time.monotonic() + 20
        while self.path.stat().st_mtime_ns == before or not _same(self.path, self.checkpoint):
            assert time.monotonic() < deadline, "the notebook was not saved"
            self.page.wait_for_timeout(50)
        return self.path.read_text(encoding="utf-8")

    def shot(self, what: Any, name: str) -> None:
        """Keep a picture of a part of the page among the artefacts."""
        ARTIFACTS.mkdir(exist_ok=True)
        what.screenshot(path=ARTIFACTS / f"{name}.png")

    def _listen(self, socket: Any) -> None:
        socket.on("framereceived", lambda data: self.frames.append(_text(data)))


_NEWS = "@jupyterlab/apputils-extension:announcements"
_PYTHON = {"kernelspec": {"name": "python3", "display_name": "Python 3"}}


def _text(data: Any) -> str:
    return data.decode("utf-8", "replace") if isinstance(data, bytes) else str(data)


def _same(file: Path, copy: Path) -> bool:
    return copy.exists() and copy.read_bytes() == file.read_bytes()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
