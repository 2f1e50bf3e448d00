"""The Diorama's second world: a scene as plain data becomes frames and everything that is true about them.

Knows drawing, geometry and words; knows no model and no network. `spec` says what there is, `draw` puts it together,
`truth` says what is exactly known, `random_scene` and `captions` make training clips out of it.
"""
