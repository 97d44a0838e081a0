"""Is the contract that is published the OCHP 1.4 interface, and nothing else?"""
