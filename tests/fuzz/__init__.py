"""Spoiled inputs of every kind, given to the commands: none may end in another way than is documented."""
