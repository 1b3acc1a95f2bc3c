"""Colours and fonts: Gradio's default with enough contrast, and nothing fetched from the web."""

from pathlib import Path

import gradio as gr

CSS = (Path(__file__).parent / "page.css").read_text()


def build_theme() -> gr.themes.Base:
    """Indigo on zinc; every pair of text and background has a contrast of 4.5:1 or more."""
    sans = gr.themes.LocalFont("Source Sans Pro", weights=(400, 700))  # its 600 lacks letters
    mono = gr.themes.LocalFont("IBM Plex Mono", weights=(400, 600))
    theme = gr.themes.Default(
        primary_hue="indigo",
        secondary_hue="indigo",
        font=[sans, "ui-sans-serif", "system-ui", "sans-serif"],
        font_mono=[mono, "ui-monospace", "monospace"],
    )
    return theme.set(
        color_accent="*primary_600",
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_600",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_700",
        button_cancel_background_fill="*neutral_200",
        button_cancel_background_fill_dark="*neutral_600",
        button_cancel_background_fill_hover="*neutral_300",
        button_cancel_background_fill_hover_dark="*neutral_700",
        button_cancel_text_color="#991b1b",
        button_cancel_text_color_dark="white",
        button_cancel_text_color_hover="#7f1d1d",
        link_text_color_dark="*primary_300",
        body_text_color_subdued="*neutral_600",
        body_text_color_subdued_dark="*neutral_300",
        block_info_text_color="*neutral_600",
        block_info_text_color_dark="*neutral_300",
        block_label_text_color="*neutral_700",
        block_label_text_color_dark="*neutral_200",
        block_title_text_color="*neutral_700",
        block_title_text_color_dark="*neutral_200",
    )
