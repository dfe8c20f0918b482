"""Maps as pictures: colours, captions, letters, sizes, files, and how a notebook shows them."""
