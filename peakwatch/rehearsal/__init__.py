"""`peakwatch replay --rehearse`: who would have been told (`report.py`), under other rules (`compare.py`), and which
settings would have made how many pages (`suggest.py`)."""
