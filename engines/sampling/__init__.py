"""The one sampling loop, schedules, solvers, guidance and noise. Pure mathematics on tensors: imports nothing of ours.
"""
