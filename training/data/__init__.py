"""What the training hears: the talker, synthetic voices, people, other sounds; and its manifest."""
