"""The command: wiring, files and terminals. Decides nothing about events."""

import os

# The judge's matrices are small: threads of the matrix library would wait for each other longer than they save (three
# times the processor time on two cores). Must be said before numpy is imported for the first time.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
