"""How a clip gets longer than the model's window: chunk plans, what is handed over, drift, finished chunks on disk.

Knows frames, latents, tokens and the backend's families. Must not know tasks, prompts' meaning, measures of results
(engines.metrics stands beside the tasks) or the studio. `chunk_plan` and `drift` leave torch unloaded: a form asks
them.
"""
