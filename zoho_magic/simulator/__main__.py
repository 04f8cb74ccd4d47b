"""python -m zoho_magic.simulator: serve until stopped."""

from __future__ import annotations

import argparse
import json
import sys
import threading

from .data_centres import LOCATIONS
from .options import BEHAVIOURS, Options
from .simulator import REDIRECT_URI, Simulator


def main(arguments: list[str] | None = None) -> int:
    """Start a simulator, say how to reach it, and serve until interrupted."""
    asked = _parser().parse_args(arguments)
    simulator = Simulator(
        rows=asked.rows,
        seed=asked.seed,
        port=asked.port,
        data_centres=asked.data_centre or ("us",),
        redirect_uri=asked.redirect_uri,
        options=Options(edition=asked.edition, latency=asked.latency),
        behaviour=asked.behaviour,
    )
    try:
        with simulator:
            _announce(simulator, asked.json)
            threading.Event().wait()
    except KeyboardInterrupt:
        return 0
    except OSError as error:
        sys.stderr.write(f"cannot serve on port {asked.port}: {error.strerror}\n")
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m zoho_magic.simulator", description="A local Zoho on loopback.")
    parser.add_argument("--port", type=int, default=0, help="port of the first data centre (default: any free one)")
    parser.add_argument("--rows", type=int, default=2000, help="rows of demo data")
    parser.add_argument("--seed", type=int, default=7, help="the demo data's seed")
    parser.add_argument("--json", action="store_true", help="print the connection as one JSON object")
    parser.add_argument("--data-centre", action="append", choices=LOCATIONS, help="may be given several times")
    parser.add_argument("--redirect-uri", default=REDIRECT_URI, help="registered for the client (default: %(default)s)")
    parser.add_argument("--edition", default=Options.edition, help="the CRM's edition (default: %(default)s)")
    parser.add_argument(
        "--behaviour",
        choices=BEHAVIOURS,
        default="documented",
        help="worst: answer as the least kind report about Zoho says (default: %(default)s)",
    )
    parser.add_argument("--latency", type=float, default=0.0, help="seconds added to every answer")
    return parser


def _announce(simulator: Simulator, as_json: bool) -> None:
    connection = simulator.connection()
    lines = [f"{name}: {value}" for name, value in connection.items()]
    sys.stdout.write((json.dumps(connection) if as_json else "\n".join(lines)) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
