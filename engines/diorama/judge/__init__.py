"""Small classifiers that read noun, motion and scene off a clip. A may guide and select, B only measures."""

from pathlib import Path

JUDGES_FOLDER = Path(__file__).resolve().parents[3] / "assets" / "models" / "judges"
