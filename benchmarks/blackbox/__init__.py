"""The black-box methods, beside the ancestor's and beside what the device alone can do."""
