"""One simulator for a whole file: starting one for every test would be most of the time they take."""

from __future__ import annotations

from zoho_magic.simulator import Options, Simulator


def as_new(zoho: Simulator) -> Simulator:
    """The same simulator running, hours later, nothing ordered, noted or set; for tests that write no records."""
    if zoho.traffic.in_flight:  # a call that is still held up would be counted in the next test
        zoho.stop()
    zoho.start()
    zoho.clock.advance(7200)
    zoho.faults.clear()
    zoho.traffic.clear()
    vars(zoho.options).update(vars(Options()))
    return zoho
