"""What the backend's benchmark measures of memory: each arm in a process of its own."""
