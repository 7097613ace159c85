"""What a run leaves behind: manifest, contact sheets, TensorBoard, a page."""
