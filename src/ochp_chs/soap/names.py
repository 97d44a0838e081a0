"""Names that strangers make up must not stay in memory.

libxml2 keeps every element name, attribute name and prefix that it ever read in a dictionary, and
lxml has one dictionary for each thread, for as long as the thread lives. Whoever sends messages
with ever new names, without logging in, would fill the server's memory with them.
"""

import ctypes

#: lxml's entry in the state of a thread; where it finds none, as in a new thread, it makes one.
_CONTEXT = "_ParserDictionaryContext"

# The function gives a borrowed reference, which ctypes would take for an owned one.
_thread_state = ctypes.pythonapi.PyThreadState_GetDict
_thread_state.restype = ctypes.c_void_p


def forget_names() -> None:
    """Let go of all names that this thread has read; documents that are still in use keep theirs.

    To be called between two requests. The next one reads the usual names anew, in microseconds.
    """
    state = _thread_state()
    if state:
        ctypes.cast(state, ctypes.py_object).value.pop(_CONTEXT, None)
