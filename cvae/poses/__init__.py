"""Key points of a person and the skeleton pictures drawn from them."""
