"""How pages write days and instants."""
