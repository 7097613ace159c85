"""Networks: Keras functional models with a preprocessing contract and named taps."""

import keras

if keras.backend.backend() != "tensorflow" or keras.config.image_data_format() != "channels_last":
    raise ImportError(
        "tfvis needs Keras on TensorFlow, channels last. Received: backend "
        f"{keras.backend.backend()}, {keras.config.image_data_format()}. Set "
        "KERAS_BACKEND=tensorflow before Keras is imported; see ~/.keras/keras.json."
    )
