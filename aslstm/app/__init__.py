"""The app in the browser: Gradio around the answers of a model folder."""
