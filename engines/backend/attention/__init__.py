"""Reading and changing attention inside a model: q, k, v and the answer of every layer, for every family."""
