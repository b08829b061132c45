"""What lets the TF2 Object Detection API of 2022 run on TensorFlow 2.15 with little beside it; installed before it.

Two things stand between them:

1. tf-slim 1.1.0 looks for `case`, `cond`, `while_loop` and `Assert` in `control_flow_ops`; TensorFlow moved them to
   modules of their own. They are put back where they were, unchanged.
2. The API imports, at the top of modules that every model passes through, eight packages that training and exporting an
   SSD never call (COCO and LVIS evaluation, plots, EfficientNet, averaged weights). They are not installed. A stand-in
   takes each one's place at import, and raises as soon as anything of it is used: nothing is ever computed by it.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.machinery
import importlib.util
import sys
from types import ModuleType
from typing import Any

#: Package → what in the API needs it.
ABSENT = {
    "cv2": "dataset tools",
    "lvis": "LVIS evaluation",
    "matplotlib": "drawing boxes",
    "official": "EfficientNet, and averaged weights (use_moving_average)",
    "pandas": "Open Images evaluation",
    "pycocotools": "COCO evaluation",
    "scipy": "DensePose, DETR's matcher",
    "tensorflow_io": "DeepMAC",
}
#: Called while the API is being imported, with no effect on what it computes.
_HARMLESS = {"matplotlib.use"}
_MOVED = {
    "case": "control_flow_case",
    "cond": "cond",
    "while_loop": "while_loop",
    "Assert": "control_flow_assert",
}


class NotInLaneError(ImportError):
    """Something was used that the lane does not have."""


class _AbsentType(type):
    """The type of what stands for functions and classes of packages that are not installed."""

    absent: str

    def __call__(cls, *arguments: Any, **options: Any) -> Any:
        del arguments, options
        name = cls.absent
        if name in _HARMLESS:
            return None
        package = name.split(".")[0]
        raise NotInLaneError(f"{name} is not in this lane: {package} is left out ({ABSENT[package]}).")

    def __getattr__(cls, name: str) -> Any:
        return _absent(cls.absent, name)


def _absent(place: str, name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    # A class, because the API derives classes of its own from some of them; those raise too when they are called.
    return _AbsentType(name, (), {"absent": f"{place}.{name}"})


class _AbsentModule(ModuleType):
    """A package that is not installed; the import system gives it its `__path__`."""

    def __getattr__(self, name: str) -> Any:
        return _absent(self.__name__, name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Answers, last of all, for the packages that were left out."""

    def find_spec(self, name: str, path: Any, target: Any = None) -> Any:
        del path, target
        if name.split(".", maxsplit=1)[0] in ABSENT:
            return importlib.machinery.ModuleSpec(name, self, is_package=True)
        return None

    def create_module(self, spec: Any) -> ModuleType:
        return _AbsentModule(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        del module


def install() -> None:
    """Put both in place; a package that is installed is used and has no stand-in."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.append(_Finder())
    flow = importlib.import_module("tensorflow.python.ops.control_flow_ops")
    for name, home in _MOVED.items():
        if not hasattr(flow, name):
            setattr(flow, name, getattr(importlib.import_module(f"tensorflow.python.ops.{home}"), name))
