"""The commands: flags to settings, one call of the library, what is printed. Only here is the command line read."""
