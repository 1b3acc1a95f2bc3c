"""A robot arm that pushes objects on a table: mechanics, a policy and rendering, for training data with actions."""
