"""The files that are published beside the weights and their config."""

from cvae.runs import TRAINING

CARD, SAMPLE, TRAINING_FIGURE = "README.md", "sample.gif", "training.png"
RESULTS, PSNR_FIGURE = "results.json", "psnr.png"
MAX_TRAINING_BYTES = 1_000_000
"""Of training.json; a larger one is neither published nor taken."""
OPTIONAL = (TRAINING, SAMPLE, TRAINING_FIGURE, RESULTS, PSNR_FIGURE)
"""Those of an earlier checkpoint are removed where the new one has none."""
