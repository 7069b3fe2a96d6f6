"""Files and known corpora to rows."""
