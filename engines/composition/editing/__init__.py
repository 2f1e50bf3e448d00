"""Edited clips, finished: as large and as smooth as clips of the studio are."""
