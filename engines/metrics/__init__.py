"""What is measured on results, one function each. Knows no task."""
