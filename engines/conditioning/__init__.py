"""What steers a velocity beside the prompt: pictures made from frames (edges, line art) and how they reach the model.

Knows arrays, tensors and the backend's mechanisms. Must not know tasks, prompts' meaning or the studio.
"""
