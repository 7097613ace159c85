"""Receptive fields: what of the image, or of another layer's map, a unit can see."""
