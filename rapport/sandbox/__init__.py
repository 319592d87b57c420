"""Programs of their own that play the outside. They import nothing of the product."""
