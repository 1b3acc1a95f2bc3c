"""Names of the files that are published beside the weights and their config."""

from cvae.runs import TRAINING

CARD, SAMPLE, TRAINING_FIGURE = "README.md", "sample.gif", "training.png"
RESULTS, PSNR_FIGURE = "results.json", "psnr.png"
OPTIONAL = (TRAINING, SAMPLE, TRAINING_FIGURE, RESULTS, PSNR_FIGURE)
"""Those of an earlier checkpoint are removed where the new one has none."""
