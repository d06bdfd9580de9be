"""More photos than one computer should classify: a folder cut into shards, worked on by the tasks of a Slurm array.

`python -m trainer.shards list|run|merge|status|unfinished|collect` is what the scripts of such a bundle call. No
torch and no Qt: the ONNX path of gcdesk.engine, on the node's cores.
"""
