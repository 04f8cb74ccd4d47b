"""How fast a pull is, beside Zoho's SDK, the loop everybody writes, and the limit of each route.

    python -m tests.benchmarks.pull            # everything, about a quarter of an hour
    python -m tests.benchmarks.pull --quick    # about a minute
    python -m tests.benchmarks.pull --sizes 100000 --latencies 50 --only ours limit
    python -m tests.benchmarks.pull --compare  # and beside the run before, on this machine

Every contestant is a fresh process; contestants take turns, so that a slow moment of the machine meets all of them.
Prints Markdown, and keeps the medians in `build/benchmarks/`. `seconds` is the whole process, seen from outside: median
(fastest to slowest); `call` is what the pull itself took inside, without starting Python and importing at the top of
the file; `processor` is user and system time, which a noisy machine disturbs least. `/ limit` compares with the same
bytes, not parsed (for bulk: unzipped and parsed by bare pyarrow).
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from statistics import median
from typing import Any
from urllib.request import Request, urlopen

from tests.benchmarks import history
from tests.benchmarks.fields import FIELDS

HERE = Path(__file__).resolve().parent
ASKED = ",".join(FIELDS)
SECRETS = {name: "benchmark" for name in ("ZOHO_CLIENT_ID", "ZOHO_CLIENT_SECRET", "ZOHO_REFRESH_TOKEN")}
MILLION = 1_000_000


@dataclass(frozen=True)
class Contestant:
    """One program and the route it takes. `limit` names the contestant whose figure is the limit of that route."""

    name: str
    program: str
    route: str
    limit: str = ""


OURS = [
    Contestant("zoho_magic auto", "ours", "auto"),
    Contestant("zoho_magic records", "ours", "records", "limit records"),
    Contestant("zoho_magic coql", "ours", "coql", "limit coql"),
    Contestant("zoho_magic bulk", "ours", "bulk", "limit bulk, parsed"),
]
OTHERS = [
    Contestant("SDK records", "sdk", "records", "limit records"),
    Contestant("SDK coql", "sdk", "coql", "limit coql"),
    Contestant("SDK bulk, pd.read_csv", "sdk", "bulk", "limit bulk, parsed"),
    Contestant("SDK bulk, csv.DictReader", "sdk", "bulk-csv", "limit bulk, parsed"),
    Contestant("requests + json_normalize", "handmade", "records", "limit records"),
]
LIMITS = [
    Contestant("limit records", "limit", "records"),
    Contestant("limit coql", "limit", "coql"),
    Contestant("limit bulk", "limit", "bulk"),
    Contestant("limit bulk, parsed", "limit", "arrow"),
    Contestant("import requests, pyarrow, pandas", "limit", "imports"),
]


@dataclass
class Figures:
    """The runs of one contestant, and how many requests one of them made."""

    runs: list[Run] = field(default_factory=list)
    requests: int = 0

    def add(self, run: Run, requests: int) -> None:
        """One more run."""
        self.runs.append(run)
        self.requests = requests

    def all(self, name: str) -> list[float]:
        """`seconds`, `busy` or `peak` of every run."""
        return [getattr(run, name) for run in self.runs]

    def middle(self, name: str) -> float:
        """Their median."""
        return median(self.all(name))

    @property
    def calls(self) -> list[float]:
        """Seconds of the pull itself."""
        return [run.told["call"] for run in self.runs]

    @property
    def told(self) -> dict[str, Any]:
        """What the last run told."""
        return self.runs[-1].told


# The server and the runs


class Server:
    """The process that plays Zoho."""

    def __init__(self, url: str) -> None:
        self.url = url

    def set(self, **scene: Any) -> int:
        """Change the scene; returns how many requests came since the last change."""
        request = Request(self.url + "/_bench", json.dumps(scene).encode(), {"Connection": "close"}, method="POST")
        with urlopen(request) as answer:
            return int(json.load(answer)["requests"])


@contextmanager
def serving() -> Iterator[Server]:
    """A server of its own process."""
    program = [sys.executable, "-m", "tests.benchmarks.server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, cwd=HERE.parents[1], **pipes) as process:
        try:
            yield Server(process.stdout.readline().strip())
        finally:
            process.stdin.close()


class ContestantError(Exception):
    """A contestant ended badly, or brought another number of rows."""


@dataclass(frozen=True)
class Run:
    """One run, seen from outside: seconds, seconds of processor time, peak memory in MB; and what the program told."""

    seconds: float
    busy: float
    peak: float
    told: dict[str, Any]


def run(program: str, route: str, *arguments: str, url: str) -> Run:
    """Run a contestant in a folder of its own. Raises ContestantError."""
    command = [sys.executable, str(HERE / "contestants" / f"{program}.py"), route, url, *arguments]
    places = {"ZOHO_ACCOUNTS_URL": url, "ZOHO_API_URL": url}
    with tempfile.TemporaryDirectory() as folder, (Path(folder) / "out").open("w+") as out:
        began = time.perf_counter()
        process = subprocess.Popen(command, stdout=out, cwd=folder, env={**_environment(), **SECRETS, **places})
        _, status, usage = os.wait4(process.pid, 0)
        seconds = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode:
            raise ContestantError(f"{program} {route} failed")
        out.seek(0)
        told = json.loads(out.read().splitlines()[-1])
    return Run(seconds, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, told)


@cache
def _compiled() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory()


def _environment() -> dict[str, str]:
    # An installed package is compiled; this keeps the compiled files out of the working tree.
    own = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**own, "PYTHONPYCACHEPREFIX": _compiled().name}


def measure(server: Server, contestants: Sequence[Contestant], rows: int, repeats: int) -> dict[str, Figures]:
    """Every contestant in turn, `repeats` times; one that fails is left out, and said."""
    found: dict[str, Figures] = {contestant.name: Figures() for contestant in contestants}
    for _ in range(repeats):
        for contestant in [one for one in contestants if one.name in found]:
            try:
                found[contestant.name].add(*_once(server, contestant, rows))
            except ContestantError as error:
                print(f"\n{contestant.name} is left out: {error}\n", flush=True)
                del found[contestant.name]
    return found


def _once(server: Server, contestant: Contestant, rows: int) -> tuple[Run, int]:
    server.set()
    third = str(rows) if contestant.program == "limit" else ASKED
    done = run(contestant.program, contestant.route, third, url=server.url)
    if done.told["rows"] != rows:
        raise ContestantError(f"it brought {done.told['rows']} of {rows} rows")
    return done, server.set()


# Tables


def show(found: dict[str, Figures], contestants: Sequence[Contestant]) -> None:
    """A table of one size and latency."""
    base = found.get("SDK records")
    _row(
        "contestant",
        "seconds",
        "call",
        "processor",
        "SDK records /",
        "/ limit",
        "call / limit's",
        "requests",
        "peak MB",
    )
    _row("---", *["---:"] * 8)
    for contestant in [one for one in contestants if one.name in found]:
        figures, limit = found[contestant.name], found.get(contestant.limit)
        _row(
            contestant.name + (f" ({figures.told['api']})" if contestant.route == "auto" else ""),
            _spread(figures.all("seconds")),
            f"{median(figures.calls):.2f}",
            f"{figures.middle('busy'):.2f}",
            f"{base.middle('seconds') / figures.middle('seconds'):.1f}" if base else "",
            f"{figures.middle('seconds') / limit.middle('seconds'):.2f}" if limit else "",
            f"{median(figures.calls) / median(limit.calls):.2f}" if limit else "",
            str(figures.requests),
            f"{figures.middle('peak'):.0f}",
        )


RESULTS: dict[str, dict[str, dict[str, float]]] = {}


def medians(found: dict[str, Figures], contestants: Sequence[Contestant]) -> dict[str, dict[str, float]]:
    """What is kept of a table: seconds, processor time, and how many times the limit of the same run."""
    kept = {name: {"seconds": one.middle("seconds"), "processor": one.middle("busy")} for name, one in found.items()}
    for each in contestants:
        if each.name in kept and each.limit in kept:
            kept[each.name]["/ limit"] = kept[each.name]["seconds"] / kept[each.limit]["seconds"]
    return kept


def show_change(before: dict[str, Any] | None) -> None:
    """The run before beside this one. Seconds mean little on a busy machine; the last two figures mean more."""
    if before is None:
        print("\nThis is the first run on this machine: there is nothing to compare it with.")
        return
    _title(f"Against {before['commit']} of {before['time']}")
    _row("table", "contestant", "figure", "before", "now", "change")
    _row("---", "---", "---", "---:", "---:", "---:")
    for title, name, figure, old, new in history.compared(before["results"], RESULTS):
        _row(title, name, figure, f"{old:.2f}", f"{new:.2f}", f"{new / old - 1:+.0%}")


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def _row(*cells: str) -> None:
    print("|", " | ".join(cells), "|", flush=True)


def _title(text: str) -> None:
    print(f"\n### {text}\n", flush=True)


# The parts of a report


def ceiling(server: Server, _: argparse.Namespace) -> None:
    """What the server itself can do."""
    _title("The server's own ceiling")
    server.set(rows=100_000, latency=0.0)
    run("limit", "coql", "100000", url=server.url)
    windows = [run("limit", "coql", "100000", url=server.url).told for _ in range(3)]
    tiny = [run("limit", "tiny", "0", url=server.url).told for _ in range(3)]
    pace = median(told["bytes"] / told["call"] for told in windows) / 1e6
    print(
        f"10 connections: {median(2000 / told['call'] for told in tiny):,.0f} small answers a second, "
        f"{pace:,.0f} MB/s of COQL windows ({windows[0]['bytes'] / 1e6:.0f} MB for 100,000 leads)."
    )


def pulls(server: Server, options: argparse.Namespace) -> None:
    """The main tables."""
    contestants = [one for one in (*OURS, *OTHERS, *LIMITS) if _is_wanted(one, options.only)]
    server.set(rows=2_000, latency=0.0, job_seconds=options.job_seconds)
    measure(server, contestants, 2_000, 1)  # compiles, and fills the disk's cache
    for rows in options.sizes:
        for milliseconds in options.latencies:
            server.set(rows=rows, latency=milliseconds / 1000, job_seconds=options.job_seconds)
            measure(server, [one for one in LIMITS if one in contestants], rows, 1)  # the server prepares its bodies
            title = f"{rows:,} leads, 20 fields, {milliseconds} ms"
            _title(title)
            found = measure(server, contestants, rows, options.repeats)
            show(found, contestants)
            RESULTS[title] = medians(found, contestants)


def _is_wanted(contestant: Contestant, only: Sequence[str]) -> bool:
    label = f"{contestant.name} {contestant.program}"
    return not only or any(word in label for word in only)


def million(server: Server, options: argparse.Namespace) -> None:
    """A million rows by bulk read, five jobs of 200,000."""
    title = "1,000,000 leads by bulk read, 0 ms, no waiting for jobs"
    _title(title)
    server.set(rows=MILLION, latency=0.0, job_seconds=0)
    contestants = [OURS[3], LIMITS[2], LIMITS[3]]
    found = measure(server, contestants, MILLION, options.repeats)
    show(found, contestants)
    RESULTS[title] = medians(found, contestants)
    ours = found["zoho_magic bulk"]
    print(
        f"\nThe frame takes {ours.told['bytes'] / 2**20:,.0f} MB; "
        f"the peak is {ours.middle('peak') * 2**20 / ours.told['bytes']:.2f} times that."
    )


def first_row(server: Server, options: argparse.Namespace) -> None:
    """How soon one row is in hand."""
    _title("Time to the first row (of 100,000), 50 ms")
    server.set(rows=100_000, latency=0.05, job_seconds=0)
    _row("contestant", "from process start", "from the call", "requests")
    _row("---", "---:", "---:", "---:")
    for contestant in (*OURS, OTHERS[0], OTHERS[1], OTHERS[4]):
        runs = []
        for _ in range(options.repeats):
            server.set()
            done = run(contestant.program, contestant.route, ASKED, "1", url=server.url)
            runs.append((done.seconds, done.told["call"], server.set()))
        whole, call, asked = zip(*runs, strict=True)
        _row(contestant.name, _spread(whole), _spread(call), str(asked[0]))


def start(server: Server, options: argparse.Namespace) -> None:
    """`%load_ext` and the cached token."""
    _title("Starting")
    server.set(rows=2_000, latency=0.0)
    for route, label in (
        ("shell", "`%load_ext` in a fresh InteractiveShell"),
        ("kernel", "`%load_ext` in a new kernel"),
    ):
        run("start", route, url=server.url)  # compiles
        runs = [run("start", route, url=server.url).told for _ in range(max(5, options.repeats))]
        heavy = ", ".join(runs[0]["heavy"]) or "none"
        times = [told["load"] * 1000 for told in runs]
        print(f"- {label}: {median(times):.1f} ms ({min(times):.1f}-{max(times):.1f}), ", end="")
        print(f"{median(told['busy'] for told in runs) * 1000:.1f} ms of processor time, ", end="")
        print(f"{runs[0]['modules']} modules imported, of them heavy: {heavy}.")
    runs = [run("start", "token", url=server.url).told["token"] * 1e6 for _ in range(options.repeats)]
    print(f"- `session.token` when cached: {median(runs):.0f} µs ({min(runs):.0f}-{max(runs):.0f}).")


PARTS = {"ceiling": ceiling, "pulls": pulls, "million": million, "first": first_row, "start": start}


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="+", type=int, default=[2_000, 20_000, 100_000])
    parser.add_argument("--latencies", nargs="+", type=int, default=[0, 50], help="milliseconds a request")
    parser.add_argument("--only", nargs="+", default=[], help="words in names of contestants: ours, SDK, limit, coql")
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--job-seconds", type=float, default=0.0, help="how long a bulk job takes")
    parser.add_argument("--parts", nargs="+", choices=list(PARTS), default=list(PARTS))
    parser.add_argument("--quick", action="store_true", help="2,000 and 20,000 leads, 50 ms, once")
    parser.add_argument("--compare", action="store_true", help="show the run before on this machine beside this one")
    options = parser.parse_args()
    if options.quick:
        options.sizes, options.latencies, options.repeats = [2_000, 20_000], [50], 1
        options.parts = [part for part in options.parts if part != "million"]
    with serving() as server:
        for name in options.parts:
            PARTS[name](server, options)
    before = history.latest()
    if RESULTS:
        history.keep(RESULTS)
    if options.compare:
        show_change(before)


if __name__ == "__main__":
    main()
