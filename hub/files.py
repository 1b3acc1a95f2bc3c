"""The files that are published beside the weights and their config."""

from cvae.runs import TRAINING

CARD, SAMPLE, TRAINING_FIGURE = "README.md", "sample.gif", "training.png"
RESULTS = "results.json"
SCORE_FIGURES = ("psnr.png", "steps.png")
"""Of an evaluation, which draws one of them: every sequence, or the mean over many."""
MAX_TRAINING_BYTES = 1_000_000
"""Of training.json; a larger one is neither published nor taken."""
OPTIONAL = (TRAINING, SAMPLE, TRAINING_FIGURE, RESULTS, *SCORE_FIGURES)
"""Those of an earlier checkpoint are removed where the new one has none."""
