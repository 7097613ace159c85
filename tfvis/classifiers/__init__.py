"""Art: data sets in folders, the classifier of artistic images, its training and measures."""
