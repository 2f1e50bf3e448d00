"""Entry point: `python app.py` opens the studio; Hugging Face Spaces runs this file."""

from __future__ import annotations

from studio.app import main

if __name__ == "__main__":
    main()
