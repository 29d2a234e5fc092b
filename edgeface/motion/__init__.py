"""From what the model computes to the face that is shown."""
