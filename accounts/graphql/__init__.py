"""Who asks, in GraphQL."""
