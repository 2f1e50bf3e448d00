"""A branch beside the transformer that is shown what the result shall follow: edges, depth, a mask.

Knows the transformer's blocks and how a branch is put beside them. Must not know tasks, the studio or its training.
Paper: RelaCtrl (arXiv 2502.14377, row 1).
"""
