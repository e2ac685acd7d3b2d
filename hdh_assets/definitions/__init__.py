"""The two code locations and what runs them: Dagster's instance, the stack of `hdh up`, the loop of `hdh tick`.

Here Dagster is allowed. What is decided, read or written is in the domain packages; this puts it together.
"""
