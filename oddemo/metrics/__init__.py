"""Detection metrics: COCO average precision, matches per picture, paired intervals."""
