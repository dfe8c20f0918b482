"""What a description tells a program to do, whatever runs the model; NumPy and OpenCV are all it needs."""
