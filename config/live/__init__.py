"""What happens, told to whoever listens: over a WebSocket, or as server-sent events.

    source    where events are kept, and how a snapshot is made: the app's part, handed in by `config.roots.live`
    reader    asks the database for what is new, for all listeners of the process at once
    hub       topics and their listeners; each event is put into words once
    listener  one client's bounded queue: whoever does not read is dropped, never buffered for
    sockets   the WebSocket's side of it; `streams` that of server-sent events; `doors` who may come in
    server    the process: uvicorn, with limits of ours

Nobody here knows what an event is about. The queue of record is a table; what is in memory can be lost at any time.
"""
