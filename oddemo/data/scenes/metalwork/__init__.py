"""The inspection world: defects on metal."""
