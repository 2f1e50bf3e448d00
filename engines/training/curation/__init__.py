"""A folder of somebody's own videos made ready for training: shots, measures, captions, buckets, a manifest.

Knows media files and thresholds. Must not know a model: nothing here needs a GPU, and nothing changes an original.
"""
