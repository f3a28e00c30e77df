"""The embedded language model server: an OpenAI-compatible API on NumPy.

`python -m pytest_mighetero.llm --port 8000` serves a small transformer with fixed
weights, so that a server and its client can be run, and measured, without a GPU.
`transformer` is the arithmetic, `engine` gives each step to all requests under way,
`completion` reads what is asked for, `api` speaks HTTP. The folder `tokenizer` is the
vocabulary as clients of Hugging Face's libraries read it.

Importing this package does not load NumPy.
"""
