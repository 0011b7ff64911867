"""What the page of one run is made of, beside Explore."""
