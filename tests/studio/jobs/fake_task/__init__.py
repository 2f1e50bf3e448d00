"""A task whose work is sleeping: a real Request and Engine, so that the queue is tested without a model."""
