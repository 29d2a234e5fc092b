"""How faces move: the linear basis, and a model that animates speech of which no video exists."""
