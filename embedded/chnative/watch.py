"""A look at the clients whose queries run: one that cancels or leaves has its query stopped within a quarter second."""

import contextlib
import os
import socket
import threading
from collections.abc import Callable, Iterator

from embedded.chnative.packets import Client

INTERVAL_S = 0.25


class Watch(threading.Thread):
    """Also notices the death of the process that started this one."""

    def __init__(self, *, stop_queries: Callable[[int], None], parent_died: Callable[[], None] | None) -> None:
        super().__init__(name="watch", daemon=True)
        self._stop_queries = stop_queries
        self._parent_died = parent_died
        self._parent = os.getppid()
        self._running: dict[int, socket.socket] = {}
        self._ended = threading.Event()

    @contextlib.contextmanager
    def over(self, ident: int, sock: socket.socket) -> Iterator[None]:
        """Watches a client while its query runs."""
        self._running[ident] = sock
        try:
            yield
        finally:
            del self._running[ident]

    def run(self) -> None:
        seen: set[int] = set()
        while not self._ended.wait(INTERVAL_S):
            running = dict(self._running)
            for ident, sock in running.items():
                # Most queries are over before we look twice: the look costs only those that are not.
                if ident in seen and _wants_out(sock):
                    self._stop_queries(ident)
            seen = set(running)
            if self._parent_died is not None and os.getppid() != self._parent:
                self._parent_died()
                return

    def end(self) -> None:
        self._ended.set()


def _wants_out(sock: socket.socket) -> bool:
    try:
        return sock.recv(1, socket.MSG_PEEK | socket.MSG_DONTWAIT) in (b"", bytes([Client.CANCEL]))
    except BlockingIOError:
        return False
    except OSError:
        return True
