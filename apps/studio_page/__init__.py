"""The page of `apps.studio`, in Gradio; what it does is `tfvis.experiments.studio`."""
