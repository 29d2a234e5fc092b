"""What the model says becomes the face that is shown."""
