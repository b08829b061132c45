"""The TF2 Object Detection API in its lane: train a small SSD, export it with the real exporters, record its stages."""
