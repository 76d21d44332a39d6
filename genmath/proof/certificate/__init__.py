"""Steps that are real algebra, with proofs for the kernel: the writer of certificates."""
