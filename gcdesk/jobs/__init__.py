"""Child processes of the window: the worker, tasks, their queues and command lines. QtCore only; no call blocks."""
