"""A branch in a copy of a model: what was asked, where it goes, and the outputs it adds."""
