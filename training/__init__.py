"""Training: schedules, data, loop, evaluation."""
