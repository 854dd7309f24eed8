"""The parts of a program and their meaning, one concept in each module."""
