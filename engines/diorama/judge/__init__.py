"""Small classifiers that read noun, motion and scene off a clip. Judge A may guide and select, Judge B only measures."""
