"""How well a bundle's face follows: the talker, strangers, films, noise, silence."""
