"""Clips of which something is given: what is given in each mode, who completes them, and how near they come."""
