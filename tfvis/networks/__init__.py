"""Networks: Keras functional models with a preprocessing contract and named taps."""
