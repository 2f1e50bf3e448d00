"""Which parts of a model lie on the device, when, and in what format: so that it fits the memory there is."""
