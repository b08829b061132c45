"""oddemo: why does my exported TensorFlow object detector behave differently from the one I trained?

Importing this package loads no TensorFlow; the rooms that need it import it when they are called.
"""

__version__ = "0.1.0"

__all__ = ["__version__"]
