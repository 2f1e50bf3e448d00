"""The one sampling loop, schedules, solvers, guidance and noise. Pure tensor mathematics: imports nothing of ours."""
