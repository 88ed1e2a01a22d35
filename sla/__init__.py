"""Working time and the clocks of service tickets, pure: told the time, never asking for it."""
