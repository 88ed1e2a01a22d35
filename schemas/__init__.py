"""The shape of everything that crosses a border: events in, results out, configuration, settings.

Pure, and imports nothing of ours: every other folder may lean on it.
"""
