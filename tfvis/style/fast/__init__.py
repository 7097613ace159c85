"""Fast style: a network that paints, trained on the loss of `tfvis.style` (Johnson et al. 2016)."""
