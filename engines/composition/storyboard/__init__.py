"""Scenes in a row become one film: takes that go on or are cut, crossfades, titles, music."""
