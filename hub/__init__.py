"""Taking checkpoints from the Hugging Face Hub and publishing them there."""

import logging

logging.getLogger("httpx2").setLevel(logging.WARNING)  # else every request would be a line on the terminal
