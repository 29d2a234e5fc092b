"""The idle layer: what a face does beside speaking. Pure and seeded; it never moves the mouth."""
