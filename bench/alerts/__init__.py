"""How well spikes are found: seeded streams with known incidents, our detector beside people's usual rules."""
