"""Side-by-side measurements of converted models; nothing here is needed to use or to test the tool."""
