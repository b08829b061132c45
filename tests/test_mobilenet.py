"""The light backbone: trained, loaded and exported by the same code as the other."""

from __future__ import annotations

from oddemo.audit.images import ImageSet
from oddemo.audit.run import audit
from oddemo.data.sample import sample_dataset
from oddemo.detect.recipe import Recipe
from oddemo.detect.train import train
from oddemo.export.saved_model import export_saved_model


def test_a_mobilenet_learns_and_its_export_is_faithful(tmp_path):
    sample = sample_dataset("inspection")
    recipe = Recipe(backbone="mobilenet", width=0.35, steps=60, warmup_steps=5, score_threshold=0.01)
    result = train(recipe, sample, None, tmp_path / "detector", seed=1, log_every=20)
    assert result.history[-1]["total_loss"] < 0.6 * result.history[0]["total_loss"]
    export = export_saved_model(result.folder, tmp_path / "export", layer_functions=False)
    pictures = ImageSet(sample.root, tuple(record.file_name for record in sample.records[:8]))
    found = audit(f"tfvision:{result.folder}", f"savedmodel:{export}", pictures)
    assert found.verdict == "faithful"
    # An empty list on both sides would be faithful, too.
    assert sum(map(len, found.material.reference.detections)) > 0
