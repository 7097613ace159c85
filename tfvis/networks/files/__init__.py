"""Files of networks: read safely, counted before they are read, never run."""
