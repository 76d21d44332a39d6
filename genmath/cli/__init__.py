"""The command line, `genmath`; nothing here is imported by the book or by the implementations."""
