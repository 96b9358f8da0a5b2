"""Tools of the hub: they run before the build, or on its result."""
