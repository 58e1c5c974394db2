// The keyboard and in-place updates. Every page works without it.
