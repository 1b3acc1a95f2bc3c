"""Pose-driven video prediction: the model and all that using it needs."""
