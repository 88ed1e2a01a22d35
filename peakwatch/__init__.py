"""The command: wiring, files and terminals. Decides nothing about events."""
