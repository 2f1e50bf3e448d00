"""The rendered world with full ground truth: sprites, scenes, motions, captions, and the judges that read its clips."""
