"""A real JupyterLab on a port of its own, and a browser that looks at it and types."""

from __future__ import annotations

import ast
import json
import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.request import urlopen

import nbformat
from selenium import webdriver
from selenium.common.exceptions import (
    ElementClickInterceptedException,
    StaleElementReferenceException,
    TimeoutException,
)
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webdriver import WebDriver
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import WebDriverWait

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "chrome")
OPTIONS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--window-size=1500,1300")
#: All cells stand in the page, not only those that are looked at; nobody is asked about news.
SETTINGS = {
    "notebook-extension/tracker": {"windowingMode": "none"},
    "apputils-extension/notification": {"fetchNews": "false", "checkForUpdates": False},
}
STARTS_S = 60
RUNS_S = 240


def needed_cells(notebook: nbformat.NotebookNode, tag: str) -> list[nbformat.NotebookNode]:
    """Return the cell with a tag and, in their order, those before it that make what it uses."""
    cells = [cell for cell in notebook.cells if cell.cell_type == "code"]
    last = next(place for place, cell in enumerate(cells) if tag in cell.metadata.get("tags", []))
    chosen, wanted = [], set()
    for cell in reversed(cells[: last + 1]):
        made, used = _names(cell.source)
        if not chosen or made & wanted:
            chosen.insert(0, cell)
            wanted = (wanted - made) | used
    return chosen


def _names(source: str) -> tuple[set[str], set[str]]:
    """Return the names that a cell binds and those that it uses."""
    lines = ("" if line.startswith(("%", "!")) else line for line in source.splitlines())
    nodes = list(ast.walk(ast.parse("\n".join(lines))))
    names = [node for node in nodes if isinstance(node, ast.Name)]
    made = {node.id for node in names if isinstance(node.ctx, ast.Store)}
    made |= {node.name for node in nodes if isinstance(node, ast.FunctionDef)}
    imports = [node for node in nodes if isinstance(node, (ast.Import, ast.ImportFrom))]
    made |= {alias.asname or alias.name.split(".")[0] for node in imports for alias in node.names}
    return made, {node.id for node in names if isinstance(node.ctx, ast.Load)}


@dataclass(frozen=True)
class Lab:
    """A JupyterLab that runs."""

    address: str
    token: str

    def page_of(self, notebook: str) -> str:
        return f"{self.address}/lab/tree/{notebook}?token={self.token}&reset"

    def runs(self, notebook: str) -> bool:
        """Whether a page is connected with a kernel of the notebook that waits for work."""
        with urlopen(f"{self.address}/api/sessions?token={self.token}", timeout=10) as answer:
            kernels = [one["kernel"] for one in json.load(answer) if one["path"] == notebook]
        return any(kernel["execution_state"] == "idle" and kernel["connections"] for kernel in kernels)


@contextmanager
def lab_of(folder: Path) -> Iterator[Lab]:
    """Start `jupyter lab` on the notebooks of a folder, with settings of its own, and end it."""
    own = folder / ".own"
    for name, settings in SETTINGS.items():
        path = own / "settings" / "@jupyterlab" / f"{name}.jupyterlab-settings"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(settings))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    lab = Lab(f"http://127.0.0.1:{port}", secrets.token_hex(16))
    places = {"CONFIG_DIR": "config", "RUNTIME_DIR": "runtime", "DATA_DIR": "data"}
    environment = os.environ | {f"JUPYTER_{key}": str(own / name) for key, name in places.items()}
    environment |= {f"JUPYTERLAB_{name.upper()}_DIR": str(own / name) for name in ("settings", "workspaces")}
    environment["IPYTHONDIR"] = str(own / "ipython")
    command = [sys.executable, "-m", "jupyterlab", "--no-browser", "--allow-root", f"--ServerApp.root_dir={folder}"]
    command += ["--ServerApp.ip=127.0.0.1", f"--ServerApp.port={port}", "--ServerApp.port_retries=0"]
    command += [f"--IdentityProvider.token={lab.token}"]
    with (folder / "lab.log").open("w") as log:
        server = subprocess.Popen(command, env=environment, cwd=folder, stdout=log, stderr=subprocess.STDOUT)
    try:
        _wait_for(lab, server, folder / "lab.log")
        yield lab
    finally:
        server.terminate()  # it ends its kernels first
        try:
            server.wait(timeout=30)
        except subprocess.TimeoutExpired:
            server.kill()
            server.wait()


def _wait_for(lab: Lab, server: subprocess.Popen[bytes], log: Path) -> None:
    end = time.monotonic() + STARTS_S
    while time.monotonic() < end:
        assert server.poll() is None, log.read_text()
        try:
            with urlopen(f"{lab.address}/api/status?token={lab.token}", timeout=5):
                return
        except OSError:
            time.sleep(0.3)
    raise AssertionError(f"JupyterLab did not start in {STARTS_S} s:\n{log.read_text()}")


def find_browser() -> tuple[str, str] | None:
    """Return the programs of a browser and of its driver, if both are there."""
    browser, driver = next(filter(None, map(shutil.which, BROWSERS)), None), shutil.which("chromedriver")
    return (browser, driver) if browser and driver else None


@contextmanager
def driven(programs: tuple[str, str], profile: Path) -> Iterator[WebDriver]:
    """Start a browser with a profile of its own, and end it."""
    options = webdriver.ChromeOptions()
    options.binary_location, driver = programs
    for option in (*OPTIONS, f"--user-data-dir={profile}"):
        options.add_argument(option)
    browser = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=driver))
    try:
        yield browser
    finally:
        browser.quit()


class NotebookPage:
    """A notebook that is open in JupyterLab.

    Args:
        browser: Who looks at it.
        lab: Where it is.
        name: The file.
    """

    def __init__(self, browser: WebDriver, lab: Lab, name: str) -> None:
        self.browser = browser
        browser.get(lab.page_of(name))
        self._until(lambda: bool(self._all(".jp-Notebook .jp-CodeCell")) and lab.runs(name), STARTS_S)

    def run_all(self) -> None:
        """Choose Run, Run All Cells, and wait until every cell has a number."""
        self._until(self._chosen_to_run, STARTS_S)
        self._until(lambda: all(re.fullmatch(r"\[\d+\]:", prompt) for prompt in self.prompts()), RUNS_S)

    def _chosen_to_run(self) -> bool:
        """Try the menu, and say whether a cell runs now: while the page is still being made, it asks for a kernel."""
        self.browser.find_element(By.TAG_NAME, "body").send_keys(Keys.ESCAPE)
        try:
            self._click("//div[contains(@class, 'lm-MenuBar-itemLabel') and text()='Run']")
            self._click("//li[not(contains(@class, 'lm-mod-disabled'))]/div[text()='Run All Cells']")
            self._until(lambda: any(re.fullmatch(r"\[[*\d]+\]:", prompt) for prompt in self.prompts()), 5)
        except (TimeoutException, ElementClickInterceptedException):
            return False
        return True

    def prompts(self) -> list[str]:
        """What stands before each code cell: `[ ]:`, `[*]:` or `[1]:`."""
        found = self._all(".jp-CodeCell .jp-InputArea-prompt")
        return [(one.get_property("textContent") or "").replace("\xa0", " ") for one in found]

    def errors(self) -> list[str]:
        """The text of outputs that are errors or stand on standard error."""
        kinds = ("application/vnd.jupyter.error", "application/vnd.jupyter.stderr")
        return [one.text for kind in kinds for one in self._all(f"[data-mime-type='{kind}']")]

    def seen(self, selector: str) -> WebElement:
        """Return an element that is there, scrolled to."""
        self._until(lambda: bool(self._all(selector)), STARTS_S)
        element = self._all(selector)[0]
        self.browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
        return element

    def fits(self, selector: str) -> bool:
        """Whether an element needs no scrolling to the side."""
        told = "const o = arguments[0].closest('.jp-OutputArea-output'); return o.scrollWidth <= o.clientWidth + 1"
        return bool(self.browser.execute_script(told, self.seen(selector)))

    def all_of(self, selector: str) -> list[WebElement]:
        """Return all elements that fit."""
        return self._all(selector)

    def wait_until(self, asked: Callable[[], bool]) -> None:
        """Wait until it is so."""
        self._until(asked, STARTS_S)

    def _all(self, selector: str) -> list[WebElement]:
        return self.browser.find_elements(By.CSS_SELECTOR, selector)

    def _click(self, xpath: str) -> None:
        self._until(lambda: bool(self.browser.find_elements(By.XPATH, xpath)), STARTS_S)
        self.browser.find_element(By.XPATH, xpath).click()

    def _until(self, asked: Callable[[], bool], seconds: float) -> None:
        wait = WebDriverWait(self.browser, seconds, 0.2, ignored_exceptions=(StaleElementReferenceException,))
        try:
            wait.until(lambda _: asked())
        except TimeoutException as error:
            state = f"waited {seconds} s; cells {self.prompts()}, errors {self.errors()}"
            raise TimeoutException(state, error.screen) from None
