"""The web studio: the only package that imports gradio. Makes requests and shows results, nothing else."""
