"""What somebody who means harm sends: bounded memory and time, a clear answer, and life goes on.

One file for each family, each a table of attacks: to add one is to add a line to the table.
"""
