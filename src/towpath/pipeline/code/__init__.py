"""Following the code of a project: what a function can reach, read from sources alone."""
