"""Court cases: asked within the windows, kept, published; imported beside; how far everything goes."""
