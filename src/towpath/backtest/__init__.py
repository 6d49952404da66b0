"""The loop over a project's past: arrivals in order of time, on a clock of their own."""
