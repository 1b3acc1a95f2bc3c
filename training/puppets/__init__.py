"""Procedural dancers: motions, appearance, scenes and rendering, for training data without any footage."""
