"""Small classifiers that read noun, motion and scene off a clip. A may guide and select, B only measures."""
