"""Which pixels of a clip a phrase means, read from what a frozen text-to-video model sees of the clip.

Knows model families and one small head for each of them (assets/models/MODEL/adapters/word_selection); gives mattes by
frame number, as engines.selection does. Must not know what a selection is for (a task), how the head is trained, or the
studio. Paper: VD-IT (arXiv 2403.12042, row 4).
"""
