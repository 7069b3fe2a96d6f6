"""These modules measure figures: ``python -m benchmarks.NAME``, run at the top of the repository, prints one table."""

import os

from aslstm.threads import share_the_machine

# As in every command, and before a module imports torch.
share_the_machine(os.environ)
