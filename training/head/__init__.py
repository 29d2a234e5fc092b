"""The heads that the page shows: made from MakeHuman's mesh and targets, which are CC0."""
