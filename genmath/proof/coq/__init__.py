"""Steps that are real algebra, as theorems for the Coq proof assistant: a foreign kernel."""
