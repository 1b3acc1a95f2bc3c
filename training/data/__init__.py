"""Where clips come from: folders of pictures, decoded once, or shards; and how they become batches."""
