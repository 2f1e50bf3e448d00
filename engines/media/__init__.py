"""Video, picture and sound files as streams. Imports nothing of ours but the error tree; knows no models."""
