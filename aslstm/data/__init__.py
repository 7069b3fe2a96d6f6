"""This package takes files and known corpora and gives rows."""
