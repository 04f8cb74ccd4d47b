"""Many processes that share one refresh token, for tests/test_cache.py. Run as a program it is all of them.

One process loads the package and forks, so that twenty cost little more than one; each makes its session after that.
Each connects to the test, is told what to do and what time it is, and answers.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from zoho_magic import ThrottledError, ZohoError, ZohoSession
from zoho_magic.simulator import Simulator


class Kernel:
    """One of the processes, as the test sees it."""

    def __init__(self, connection: socket.socket, simulator: Simulator) -> None:
        self._lines = connection.makefile("rw", encoding="utf-8")
        self._connection = connection
        self._simulator = simulator
        self.pid = int(self._lines.readline())

    def ask(self, what: str) -> None:
        """Tell it what to do, at the simulator's time."""
        ahead = self._simulator.clock.time() - time.time()
        self._lines.write(json.dumps([what, ahead]) + "\n")
        self._lines.flush()

    def answer(self) -> Any:
        """What came of it; raises where the process said nothing."""
        return json.loads(self._lines.readline())

    def does(self, what: str) -> Any:
        """Both."""
        self.ask(what)
        return self.answer()

    def kill(self) -> None:
        """End it as the system would: nothing is cleaned up."""
        os.kill(self.pid, signal.SIGKILL)

    def close(self) -> None:
        """Let it end."""
        self._lines.close()
        self._connection.close()


@contextmanager
def kernels(count: int, simulator: Simulator, env_file: Path) -> Iterator[list[Kernel]]:
    """So many processes on this `.env`, waiting to be asked."""
    where = env_file.with_name("kernels.socket")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(where))
        server.listen(count)
        server.settimeout(30)
        nursery = subprocess.Popen([sys.executable, "-W", "error", __file__, str(count), str(where), str(env_file)])
        opened = [Kernel(_accepted(server), simulator) for _ in range(count)]
    try:
        yield opened
    finally:
        for kernel in opened:
            kernel.close()
        nursery.wait(30)
        where.unlink()


def together(kernels: Sequence[Kernel], what: str) -> list[Any]:
    """What so many answer that are asked at the same moment."""
    for kernel in kernels:
        kernel.ask(what)
    return [kernel.answer() for kernel in kernels]


def _accepted(server: socket.socket) -> socket.socket:
    connection, _ = server.accept()
    connection.settimeout(30)
    return connection


# The other side


def _live(where: str, env_file: str) -> None:
    ahead = 0.0
    session = ZohoSession.from_env(env_file, clock=lambda: time.time() + ahead)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(where)
        lines = connection.makefile("rw", encoding="utf-8")
        print(os.getpid(), file=lines, flush=True)
        for line in lines:
            what, ahead = json.loads(line)
            print(json.dumps(_done(session, what)), file=lines, flush=True)
    session.close()


def _done(session: ZohoSession, what: str) -> Any:
    try:
        if what == "refresh":
            return session.refresh().reveal()
        if what == "token":
            return session.token.reveal()
        return session.request("GET", "/crm/v8/org").status_code
    except ThrottledError as error:
        return {"wait": error.retry_after}
    except ZohoError as error:
        return {"error": error.code or str(error)}


def _main(count: int, where: str, env_file: str) -> None:
    for name in (
        "cryptography.fernet",
        "cryptography.hazmat.primitives.kdf.hkdf",
        "requests",
        "zoho_magic.http.adapters",
    ):
        import_module(name)  # once, instead of by every fork
    for _ in range(count):
        if os.fork() == 0:
            _live(where, env_file)
            os._exit(0)
    for _ in range(count):
        os.wait()


if __name__ == "__main__":
    _main(int(sys.argv[1]), sys.argv[2], sys.argv[3])
