"""Record what a SavedModel does to pictures, stage by stage, in whatever environment it is deployed.

This package stands alone: Python 3.8 or later, TensorFlow 2.8 or later and NumPy are all that it needs.
`oddemo record --script probe.pyz` packs it into one file. Copy that to the machine in question and run

    python probe.pyz record-savedmodel DIR --images FOLDER --out trace.npz

Then, where oddemo is installed and the same pictures lie:

    oddemo audit --reference tfvision:DETECTOR --candidate trace:trace.npz --images FOLDER

What is recorded: the decoded pictures, the tensor that enters the first convolution, the raw heads, boxes and scores
before suppression where the graph shows them, the detections in pixels of the picture, and the versions in use.
"""


class RefusedError(Exception):
    """Something that the user can mend; its text is all that is shown."""
