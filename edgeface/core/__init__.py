"""The ground floor: rates, errors, clock, files, board. Imports nothing else of edgeface."""
