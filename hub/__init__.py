"""Taking checkpoints from the Hugging Face Hub and publishing them there."""
