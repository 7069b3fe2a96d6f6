"""Holds the app in the browser, which shows the answers of a model folder with Gradio."""
