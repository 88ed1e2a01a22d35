"""Faust, thin: what is read from Kafka goes to the engine, what the engine says goes out."""
