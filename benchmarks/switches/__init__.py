"""What the speed switches cost: time, difference and memory against the same run without them."""
