"""The head of a model run on every masked copy of its feature map at once, rewritten op by op."""
