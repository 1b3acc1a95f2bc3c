"""How good a checkpoint is: every sequence predicted, measured and shown beside the truth."""
