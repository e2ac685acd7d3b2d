"""`hdh`: thin commands over the domain packages. Heavy libraries are imported inside the commands that need them."""
