"""Nasturtium: from a data set and the limits of a device to the best neural network that fits."""
