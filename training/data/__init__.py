"""What the training hears: the talker, voices of programs, recordings of people, other sounds; and its manifest."""
