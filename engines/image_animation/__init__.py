"""A picture starts to move as words say: the picture is given to the model as the first frame of a clip.

Knows how a picture becomes a frame of the model's, and what keeps it alive or lets it freeze. Must not know other tasks
nor the page.
"""
