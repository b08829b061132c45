"""The wildlife world: animals before a camera trap."""
