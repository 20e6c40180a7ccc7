"""The exceptions board: what stands out in the read model and among devices, who works on it, and until when.

What is an exception follows from the data and is never stored; what staff did about it is stored in
`people.sqlite3` (`steps.py`) and never derived.
"""
