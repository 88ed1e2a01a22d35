"""Telling people: who (`routing.py`, `shifts.py`, `escalation.py`), how much (`budget.py`, `bundling.py`), what
(`message.py`), over what (one file a channel), and in which order (`pipeline.py`)."""
