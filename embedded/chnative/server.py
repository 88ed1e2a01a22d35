"""Accepts clients, a thread each, until it is told to stop; then lets running queries end for a while."""

import contextlib
import itertools
import os
import selectors
import socket
import threading
import time

from embedded.chnative.connection import Account, Connection
from embedded.chnative.engine import Engine
from embedded.chnative.watch import Watch

MAX_CONNECTIONS = 512
GRACE_S = 5.0


class Server:
    """Serves `engine` on a socket that listens already."""

    def __init__(self, listener: socket.socket, *, engine: Engine, account: Account, watch_parent: bool) -> None:
        self._listener = listener
        self._engine = engine
        self._account = account
        self._wake_r, self._wake_w = os.pipe()
        self._connections: dict[int, tuple[Connection, socket.socket]] = {}
        self._lock = threading.Lock()
        self._idents = itertools.count(1)
        self._watch = Watch(stop_queries=engine.stop_queries, parent_died=self.stop if watch_parent else None)

    def stop(self) -> None:
        """Ends `serve`; safe in a signal handler and from any thread."""
        with contextlib.suppress(OSError):
            os.write(self._wake_w, b"x")

    def serve(self) -> None:
        """Returns when stopped, with all clients gone."""
        self._watch.start()
        self._listener.setblocking(False)
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wake_r, selectors.EVENT_READ)
            while not any(key.fd == self._wake_r for key, _ in selector.select()):
                self._accept()
        self._listener.close()
        self._dismiss()
        self._watch.end()

    def _accept(self) -> None:
        try:
            sock, _ = self._listener.accept()
        except OSError:  # the client has gone already, or there are no file numbers left: it may try again
            time.sleep(0.01)
            return
        sock.setblocking(True)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if len(self._connections) >= MAX_CONNECTIONS:
            sock.close()
            return
        ident = next(self._idents)
        connection = Connection(sock, ident, engine=self._engine, account=self._account, watch=self._watch)
        with self._lock:
            self._connections[ident] = (connection, sock)
        threading.Thread(target=self._serve_one, args=(ident, connection), daemon=True).start()

    def _serve_one(self, ident: int, connection: Connection) -> None:
        try:
            connection.serve()
        finally:
            with self._lock:
                del self._connections[ident]
            if connection.wants_shutdown:
                self.stop()

    def _dismiss(self) -> None:
        """Idle clients at once, running queries after a grace."""
        deadline = time.monotonic() + GRACE_S
        while self._connections:
            late = time.monotonic() >= deadline
            with self._lock:
                connections = list(self._connections.items())
            for ident, (connection, sock) in connections:
                if late or not connection.busy:
                    with contextlib.suppress(OSError):
                        sock.shutdown(socket.SHUT_RDWR)
                if late:
                    self._engine.stop_queries(ident)
            if late and time.monotonic() >= deadline + GRACE_S:
                return
            time.sleep(0.02)
