"""`peakwatch alerts explain`: a decision (`explain.py`) recomputed from stored rows; of a spike also its threshold, its
evidence (`spikes.py`) and what was usual before it (`usual.py`)."""
