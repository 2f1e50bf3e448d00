"""Several tasks in one job: footage upscaled and then interpolated, a made clip finished. Frames go from one to the
next in memory, never through a lossy file.

The only package above the tasks: it builds their stages into one chain and adds the fields that ask for it. It renders
nothing itself and knows no model.
"""
