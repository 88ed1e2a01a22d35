"""A worker as a process: what it logs, which signals it takes, and how it ends.

A worker ends in one of two ways: a signal, status 0, or an error, which is raised for whoever shows it. Faust, mode and
aiokafka tell the same error several times with tracebacks; at the default log level they are silent.
"""

import asyncio
import logging
import signal
import sys
from typing import Final

import faust
import uvloop

from agents.app import Worker
from schemas.errors import PeakWatchError, PermanentError

FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
THEIRS: Final = ("faust", "mode", "aiokafka", "asyncio", "kafka")


def set_up_logging(level: str) -> None:
    """To standard error. With DEBUG or INFO the libraries speak as well, tracebacks included."""
    logging.basicConfig(level=level, format=FORMAT, force=True)
    thorough = logging.getLogger().level <= logging.INFO
    for name in THEIRS:
        logging.getLogger(name).setLevel(logging.NOTSET if thorough else logging.CRITICAL + 1)


def run(worker: Worker) -> None:
    """Run until a signal; raises what ended the worker otherwise, as a PeakWatchError."""
    loop = uvloop.new_event_loop()
    asyncio.set_event_loop(loop)
    main = _Main(worker.app, quiet=True, loop=loop, override_logging=False, redirect_stdouts=False)
    main.spinner = None
    try:
        main.execute_from_commandline()
    except SystemExit as ended:
        error = worker.failure or worker.app.crash_reason or main.crash_reason
        if error is None and not ended.code:
            return
    if isinstance(error, PeakWatchError):
        raise error
    raise PermanentError(f"the worker failed: {error!r}; --log-level INFO tells more") from error


class _Main(faust.Worker):
    """Faust's worker; one that hangs tells where: kill -USR1 PID."""

    def _on_sigusr1(self) -> None:
        for task in asyncio.all_tasks(self.loop):
            task.print_stack(file=sys.stderr)

    def _on_sigint(self) -> None:
        self._shutdown_immediately = True
        self._schedule_shutdown(signal.SIGINT)
