"""What a tool wrote: its windows, its figure, its verdict."""
