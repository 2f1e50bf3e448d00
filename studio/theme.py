"""Colours, type and style sheets of the page: one accent, warm neutrals, fonts that Gradio's own wheel carries."""

from __future__ import annotations

from pathlib import Path

import gradio as gr

STATIC = Path(__file__).parent / "static"
STYLE_SHEET = STATIC / "framewright.css"
SHELL_STYLE_SHEET = STATIC / "shell.css"
PAGE_SCRIPT = STATIC / "framewright.js"
FAVICON = STATIC / "favicon.svg"


def page_theme() -> gr.themes.Base:
    """The Gradio theme. Accent on white and on near-black both reach AA contrast (4.5 : 1) for text.

    Bold is 700: the 600 files of IBM Plex in Gradio 6.31's wheel hold no Latin letters.
    """
    theme = gr.themes.Base(
        primary_hue=gr.themes.colors.orange,
        secondary_hue=gr.themes.colors.stone,
        neutral_hue=gr.themes.colors.stone,
        radius_size=gr.themes.sizes.radius_md,
        font=(gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"),
        font_mono=(gr.themes.LocalFont("IBM Plex Mono", weights=(400, 700)), "ui-monospace", "monospace"),
    )
    return theme.set(
        body_background_fill="#f7f5f2",
        body_background_fill_dark="#12100e",
        body_text_color="#1c1917",
        body_text_color_dark="#f5f5f4",
        body_text_color_subdued="#57534e",
        body_text_color_subdued_dark="#b5afa8",
        background_fill_primary="#ffffff",
        background_fill_primary_dark="#1c1917",
        background_fill_secondary="#f1eee9",
        background_fill_secondary_dark="#24201d",
        block_background_fill="#ffffff",
        block_background_fill_dark="#1c1917",
        block_border_color="#e4dfd8",
        block_border_color_dark="#35302b",
        border_color_primary="#e4dfd8",
        border_color_primary_dark="#35302b",
        block_title_text_color="#1c1917",
        block_title_text_color_dark="#f5f5f4",
        block_title_text_weight="700",
        block_title_text_size="*text_sm",
        block_info_text_color="#57534e",
        block_info_text_color_dark="#b5afa8",
        block_label_text_color="#57534e",
        block_label_text_color_dark="#b5afa8",
        input_background_fill="#ffffff",
        input_background_fill_dark="#12100e",
        input_border_width="1px",
        input_radius="8px",
        block_radius="12px",
        button_border_width="1px",
        button_large_text_weight="700",
        button_medium_text_weight="700",
        button_large_radius="10px",
        button_medium_radius="8px",
        button_small_radius="8px",
        block_shadow="none",
        input_border_color="#9b948b",
        input_border_color_dark="#6b645d",
        input_border_color_focus="#c2410c",
        input_border_color_focus_dark="#fb923c",
        input_placeholder_color="#78716c",
        input_placeholder_color_dark="#a8a29e",
        button_primary_background_fill="#c2410c",
        button_primary_background_fill_hover="#9a3412",
        button_primary_background_fill_dark="#fb923c",
        button_primary_background_fill_hover_dark="#fdba74",
        button_primary_text_color="#ffffff",
        button_primary_text_color_dark="#1c1917",
        button_primary_border_color="transparent",
        button_primary_border_color_dark="transparent",
        button_primary_border_color_hover="transparent",
        button_primary_border_color_hover_dark="transparent",
        button_secondary_background_fill="#ffffff",
        button_secondary_background_fill_hover="#f1eee9",
        button_secondary_background_fill_dark="#24201d",
        button_secondary_background_fill_hover_dark="#35302b",
        button_secondary_border_color="#cfc8bf",
        button_secondary_border_color_dark="#4a443e",
        button_secondary_text_color="#1c1917",
        button_secondary_text_color_dark="#f5f5f4",
        checkbox_background_color_selected="#c2410c",
        checkbox_background_color_selected_dark="#fb923c",
        checkbox_border_color_selected="#c2410c",
        checkbox_border_color_selected_dark="#fb923c",
        slider_color="#c2410c",
        slider_color_dark="#fb923c",
        link_text_color="#9a3412",
        link_text_color_dark="#fdba74",
    )


def page_head() -> str:
    """HTML for the document's head: the rules for what lies outside the Blocks."""
    return f"<style>{SHELL_STYLE_SHEET.read_text(encoding='utf-8')}</style>"
