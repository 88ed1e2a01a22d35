"""What holds for every test."""

import signal

# A shell that runs us in the background has us ignore Ctrl-C, and what we start would inherit that: the tests of how
# programs end on it would then wait for ever.
signal.signal(signal.SIGINT, signal.default_int_handler)
