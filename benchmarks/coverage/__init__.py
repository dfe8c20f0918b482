"""Which image classifiers can be converted: many architectures, exported in several ways, one table."""
