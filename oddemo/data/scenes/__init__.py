"""The two generated worlds: metal under an inspection camera, animals before a camera trap."""

from oddemo.data.scenes.making import make_world, read_world
from oddemo.data.scenes.scene import Scene, render_scene
from oddemo.data.scenes.spec import CLASS_NAMES, LIGHTING_NAMES, WorldSpec

__all__ = ["CLASS_NAMES", "LIGHTING_NAMES", "Scene", "WorldSpec", "make_world", "read_world", "render_scene"]
