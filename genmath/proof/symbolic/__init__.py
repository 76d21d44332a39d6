"""Judge A: a proof for all functions and parameters under the stated hypotheses."""
