"""Charts and maps drawn by the server: pure functions from values to SVG, coloured by the style sheet."""
