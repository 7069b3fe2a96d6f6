"""This package holds the commands. Each turns its flags into settings, calls the library once and prints the result.

The command line is read here and nowhere else.
"""
