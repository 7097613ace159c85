"""Preprocessing: from the picture one sees to the numbers a network was trained on."""
