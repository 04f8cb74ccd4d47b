"""How fast an upsert is, beside Zoho's SDK and the loop everybody writes.

    python -m tests.benchmarks.push                          # 10,000 leads, 50 ms a request, five times
    python -m tests.benchmarks.push --rows 1000 --repeats 1

Every contestant is a fresh process, and they take turns, so that a slow moment of the machine meets all of them. Prints
Markdown and writes nothing. `seconds` is the whole process, seen from outside: median (fastest to slowest); `call` is
what the push itself took inside; `processor` is user and system time.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from statistics import median
from urllib.request import Request, urlopen

from tests.benchmarks.pull import HERE, Run, run


@dataclass
class Contestant:
    """One program, and its runs."""

    name: str
    program: str
    route: str
    runs: list[Run] = field(default_factory=list)
    requests: int = 0


CONTESTANTS = [
    Contestant("zoho_magic", "push_ours", "records"),
    Contestant("requests, one connection a call", "push_handmade", "plain"),
    Contestant("requests, one session", "push_handmade", "session"),
    Contestant("Zoho's SDK", "push_sdk", "records"),
]


@contextmanager
def serving() -> Iterator[str]:
    """The URL of a server in a process of its own."""
    program = [sys.executable, "-m", "tests.benchmarks.push_server"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    with subprocess.Popen(program, cwd=HERE.parents[1], **pipes) as process:
        try:
            yield process.stdout.readline().strip()
        finally:
            process.stdin.close()


def scene(url: str, **changes: float) -> dict[str, int]:
    """Change the scene; what came since the last change."""
    request = Request(url + "/_bench", json.dumps(changes).encode(), {"Connection": "close"}, method="POST")
    with urlopen(request) as answer:
        return dict(json.load(answer))


def measure(url: str, contestants: Sequence[Contestant], rows: int, latency: float, repeats: int) -> None:
    """Every contestant in turn. Raises SystemExit if one of them wrote another number of rows."""
    for _ in range(repeats):
        for each in contestants:
            scene(url, latency=latency)
            done = run(each.program, each.route, str(rows), url=url)
            came = scene(url)
            if not done.told["rows"] == came["rows"] == rows:
                raise SystemExit(f"{each.name} wrote {came['rows']} of {rows} rows and told of {done.told['rows']}")
            each.runs.append(done)
            each.requests = came["requests"]


def show(contestants: Sequence[Contestant]) -> None:
    """The table."""
    ours = median(one.told["call"] for one in contestants[0].runs)
    print("| contestant | seconds | call | call / ours | processor | requests | peak MB |")
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
    for each in contestants:
        calls = [one.told["call"] for one in each.runs]
        cells = [
            each.name,
            _spread([one.seconds for one in each.runs]),
            _spread(calls),
            f"{median(calls) / ours:.1f}",
            f"{median(one.busy for one in each.runs):.2f}",
            str(each.requests),
            f"{median(one.peak for one in each.runs):.0f}",
        ]
        print("|", " | ".join(cells), "|", flush=True)


def _spread(seconds: Sequence[float]) -> str:
    return f"{median(seconds):.2f} ({min(seconds):.2f}-{max(seconds):.2f})"


def main() -> None:
    """Measure what the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=10_000)
    parser.add_argument("--latency", type=int, default=50, help="milliseconds a request")
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--only", nargs="+", default=[], help="words in names of contestants; ours is always there")
    options = parser.parse_args()
    others = [one for one in CONTESTANTS[1:] if not options.only or any(word in one.name for word in options.only)]
    wanted = [CONTESTANTS[0], *others]
    with serving() as url:
        measure(url, wanted, 100, 0.0, 1)  # compiles, and fills the disk's cache
        for each in wanted:
            each.runs.clear()
        print(f"\n### {options.rows:,} leads upserted, 10 fields, {options.latency} ms a request\n")
        measure(url, wanted, options.rows, options.latency / 1000, options.repeats)
        show(wanted)


if __name__ == "__main__":
    main()
