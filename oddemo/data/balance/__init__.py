"""Giving rare classes their share: pictures repeated or left out, objects pasted, weights for the loss."""
