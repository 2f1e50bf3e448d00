"""A task whose frames follow from its request alone, for the tests of reproduce."""
