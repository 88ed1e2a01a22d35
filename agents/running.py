"""A worker as a process: what it logs, which signals it takes, and how it ends.

A worker ends in one of two ways: a signal, status 0, or an error, which is raised for whoever shows it. Faust, mode and
aiokafka tell the same error several times with tracebacks; at the default log level they are silent.
"""

import asyncio
import logging
import os
import signal
import sys
import threading
import warnings
from typing import Final

import faust
import uvloop

from agents.app import Worker
from schemas.errors import PeakWatchError, PermanentError

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
GRACE_S: Final = 15  # for an end: the last snapshot takes some seconds at most
SAFE_GRACE_S: Final = 8  # after it, for what Faust and aiokafka still do
THEIRS: Final = ("faust", "mode", "aiokafka", "asyncio", "kafka")


def set_up_logging(level: str) -> None:
    """To standard error. With DEBUG or INFO the libraries speak as well, tracebacks included."""
    logging.basicConfig(level=level, format=FORMAT, force=True)
    thorough = logging.getLogger().level <= logging.INFO
    for name in THEIRS:
        logging.getLogger(name).setLevel(logging.NOTSET if thorough else logging.CRITICAL + 1)
    if not thorough:  # what Faust drops when it ends in the middle of something
        warnings.filterwarnings("ignore", "coroutine .* was never awaited", RuntimeWarning)
        threading.excepthook = without_cancellations


def without_cancellations(raised: threading.ExceptHookArgs) -> None:
    """A `threading.excepthook`: that the consumer's thread was cancelled in the middle of a rebalance is no error."""
    if not issubclass(raised.exc_type, asyncio.CancelledError):
        threading.__excepthook__(raised)


def end_by_signals() -> None:
    """A signal ends the process with status 0 also while the worker is still being built: nothing is begun yet."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: sys.exit(0))
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for, a reload, is under way


def run(worker: Worker) -> None:
    """Run until a signal; raises what ended the worker otherwise, as a PeakWatchError."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    main = _Main(worker.app, quiet=True, loop=loop, override_logging=False, redirect_stdouts=False)
    main.spinner = None
    patience = _Patience(worker, main)
    patience.start()
    try:
        main.execute_from_commandline()
    except SystemExit as ended:
        error = worker.failure or worker.app.crash_reason or main.crash_reason
        if error is None and not ended.code:
            return
    finally:
        patience.over.set()
    if isinstance(error, PeakWatchError):
        raise error
    raise PermanentError(f"the worker failed: {error!r}; --log-level INFO tells more") from error


class _Patience(threading.Thread):
    """Ends the process when its end takes too long, as Faust's does for ever when the broker has gone.

    Whoever is killed loses nothing, and whoever hangs holds up the others. Where all is safe that is no failure:
    a client that hangs at its end, as aiokafka's may in a rebalance, has nothing left to do that matters.
    """

    def __init__(self, worker: Worker, main: "_Main") -> None:
        super().__init__(name="patience", daemon=True)
        self.over = threading.Event()
        self._worker = worker
        self._main = main

    def run(self) -> None:
        """Until the end, or until it is overdue."""
        waited_s = safe_s = 0
        while not self.over.wait(1):
            if self._main.ending or self._worker.failure is not None:
                waited_s += 1
            if self._worker.safe and self._worker.failure is None:
                safe_s += 1
            if safe_s > SAFE_GRACE_S:
                sys.stderr.write("peakwatch: all is safe; ended without waiting longer for the Kafka client\n")
                sys.stderr.flush()
                os._exit(0)
            if waited_s > GRACE_S:
                cause = self._worker.failure or "is the broker gone?"
                sys.stderr.write(f"peakwatch: the worker did not end within {GRACE_S} s ({cause}); nothing is lost\n")
                sys.stderr.flush()
                os._exit(1)


class _Main(faust.Worker):
    """Faust's worker; one that hangs tells where: kill -USR1 PID."""

    ending = False

    def _on_sigterm(self) -> None:
        self.ending = True
        super()._on_sigterm()

    def _on_sigusr1(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.print_stack(file=sys.stderr)

    def _on_sigint(self) -> None:
        self.ending = self._shutdown_immediately = True
        self._schedule_shutdown(signal.SIGINT)
