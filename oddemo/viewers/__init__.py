"""An audit in the viewers that people have open already: TensorBoard, and whatever reads COCO files."""
